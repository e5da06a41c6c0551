import { claimBytes, nodeIdOf } from '../protocol.ts'
import { isSigned } from '../route-proof.ts'
import { readName } from './names.ts'
import type { NameRecord } from './registry.ts'
import { QUARANTINE_MS, type StoredName } from './stored.ts'

type OwnersParts = {
  /** Of the relays, lower case. */
  readonly domain: string
  /** Whether others write to the store: what this relay alone writes is as it should be. */
  readonly isShared: boolean
  /** Unix milliseconds of this host alone: what is stored has no say in when a rest is over. */
  readonly clock: () => number
  /** Told of a record that is not believed. */
  readonly refused: (host: string, nodeId: string) => void
}

type Believed = StoredName & { isSigned?: boolean }

const DAY_MS = 24 * 3_600_000
/** Clocks of relays differ, and what one gives away rightly the others have to believe. */
const REST_MS = QUARANTINE_MS - DAY_MS

/**
 * Who has which name, by what is stored and what was believed before. Whoever may write to the store can write anything
 * there; what this relay has seen in the hands of one node goes to another only with the signature of the first, or after
 * its rest. Hosts outside of the domain belong to whom their DNS names.
 */
export function createOwners({ domain, isShared, clock, refused }: OwnersParts) {
  const believed = new Map<string, Believed>()
  /** Hosts whose record in the store is not believed, with the node that it names. */
  const doubted = new Map<string, string>()

  const isOver = ({ releasedAtMs }: StoredName): boolean =>
    releasedAtMs !== undefined && releasedAtMs + REST_MS <= clock()

  const isBelieved = (host: string, record: Believed): boolean => {
    record.isSigned ??= isClaimSigned(host, domain, record)
    return record.isSigned
  }

  function take(host: string, found: StoredName | undefined): void {
    const before = believed.get(host)
    // a record that is not signed has led nowhere, and protects no name
    const isFree =
      before === undefined || !isShared || !host.endsWith(`.${domain}`) || isOver(before) || !isBelieved(host, before)
    const doubtedNode = doubted.get(host)
    doubted.delete(host)
    if (found === undefined) {
      if (isFree) believed.delete(host)
      // whoever has removed it, and why ever: it rests
      else believed.set(host, { ...before, releasedAtMs: before.releasedAtMs ?? clock() })
      return
    }
    if (isFree || isMoveSigned(found, before.nodeId)) {
      believed.set(host, found)
      return
    }
    if (found.nodeId !== before.nodeId || !isBelieved(host, found)) {
      doubted.set(host, found.nodeId)
      if (doubtedNode !== found.nodeId) refused(host, found.nodeId) // once, and not again each minute
      return
    }
    const { releasedAtMs } = found
    const seenMs = before.releasedAtMs ?? clock() - DAY_MS
    believed.set(host, releasedAtMs === undefined ? found : { ...found, releasedAtMs: Math.max(releasedAtMs, seenMs) })
  }

  return {
    take,
    /** The node that visitors of a host are led to. */
    of(host: string): string | null {
      const record = believed.get(host)
      if (record === undefined || record.releasedAtMs !== undefined) return null
      return isBelieved(host, record) ? record.nodeId : null
    },
    /** Until when a host rests for all nodes but one; undefined: it does not. */
    restOf(host: string): { readonly nodeId: string; readonly untilMs: number } | undefined {
      const record = believed.get(host)
      if (!isShared || record?.releasedAtMs === undefined || !host.endsWith(`.${domain}`)) return undefined
      return isOver(record) ? undefined : { nodeId: record.nodeId, untilMs: record.releasedAtMs + QUARANTINE_MS }
    },
    records: (): NameRecord[] =>
      [...believed].map(([host, { nodeId, claimedAtMs, releasedAtMs }]) => ({
        host,
        nodeId,
        claimedAtMs,
        releasedAtMs,
      })),
    /** Hosts that have to be taken again, since time has passed. */
    due: (): readonly string[] => [
      ...doubted.keys(),
      ...[...believed].flatMap(([host, record]) => (isOver(record) ? [host] : [])),
    ],
  }
}

/** Whether the node that a record names has asked for the host, or the operator of a relay has given it. */
function isClaimSigned(host: string, domain: string, record: StoredName): boolean {
  if (record.isByOperator === true) return true
  const { nodeId, name, key, signature } = record
  const read = readName(name, domain)
  if (!('host' in read) || read.host !== host) return false
  return (
    nodeIdOf(Buffer.from(key, 'base64url')) === nodeId &&
    isSigned(signedOf(record), Buffer.from(key, 'base64url'), signature)
  )
}

/** Whether the node that had a name has signed that another one is to have it. */
function isMoveSigned(record: StoredName, from: string): boolean {
  if (record.previous === undefined) return false
  const spki = Buffer.from(record.previous.key, 'base64url')
  return nodeIdOf(spki) === from && isSigned(signedOf(record), spki, record.previous.signature)
}

const signedOf = ({ exporter, name, nodeId }: StoredName): Buffer =>
  claimBytes(Buffer.from(exporter, 'base64url'), { name, nodeId })
