import { type Control, FEATURES, PROTO, unknownFeature } from '../protocol.ts'
import type { Refusal, Said } from './control.ts'
import type { Peer, RelayLimits } from './parts.ts'

type WelcomeParts = {
  readonly relayId: string
  readonly tunnelId: string
  readonly limits: RelayLimits
  /** Host names that lead to the node. */
  readonly names: readonly string[]
  readonly peers: readonly Peer[]
}

/** What a message tells, which has 16 KiB at most. */
const [MOST_NAMES, MOST_PEERS] = [32, 16]

/** As many names of a node as it is told. */
export const toldNames = (names: readonly string[]): string[] => names.slice(0, MOST_NAMES)

/** Whether this version can serve a node. @returns null: yes; else why not */
export function unservable(hello: Control<'hello'>): (Refusal & { readonly code: 'proto' | 'feature' }) | null {
  const isUnknown = unknownFeature(hello.critical) !== undefined
  if (hello.proto.includes(PROTO) && !isUnknown) return null
  return { type: 'error', code: isUnknown ? 'feature' : 'proto', min: PROTO, max: PROTO }
}

/** What a node is told that has a tunnel now. */
export function welcomeOf(parts: WelcomeParts): Said & { readonly type: 'welcome' } {
  const { relayId, tunnelId, limits, names, peers } = parts
  return {
    type: 'welcome',
    proto: PROTO,
    features: [...FEATURES],
    relayId,
    tunnelId,
    limits: { streams: limits.streamsPerNode, bytesPerSecond: limits.bytesPerSecondPerNode },
    names: toldNames(names),
    peers: peers.slice(0, MOST_PEERS).map(({ id, address }) => ({ id, address })),
  }
}
