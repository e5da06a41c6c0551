import { generateKeyPairSync, sign } from 'node:crypto'
import { claimBytes, nodeIdOf } from '../../daemon/relay/protocol.ts'
import type { Claim } from '../../daemon/relay/registry/registry.ts'
import { ROUTE_MS, type RouteProof, routeBytes } from '../../daemon/relay/route-proof.ts'

/** When the clocks of tests begin. */
export const BEGIN_MS = Date.parse('2026-06-01T00:00:00Z')

/** The key of a node, and what it signs. */
export type NodeKeys = {
  readonly id: string
  /** DER of its public key. */
  readonly spki: Buffer
  /** Of the connection that its claims are signed for. */
  readonly exporter: Buffer
  /** Base64url of its public key. */
  readonly key: string
  readonly sign: (bytes: Buffer) => string
  /** @param expiresAtMs twelve hours from BEGIN_MS when absent */
  readonly route: (relayId: string, tunnelId: string, expiresAtMs?: number) => RouteProof
  readonly claim: (name: string, more?: Partial<Claim>) => Claim
  /** A claim of a name that another node has, which signs it as well. */
  readonly move: (name: string, from: NodeKeys) => Claim
}

export function nodeKeys(): NodeKeys {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const [id, key] = [nodeIdOf(spki), spki.toString('base64url')]
  const signed = (bytes: Buffer) => sign(null, bytes, privateKey).toString('base64url')
  const exporter = Buffer.alloc(32, 'e')
  return {
    id,
    spki,
    exporter,
    key,
    sign: signed,
    route: (relayId, tunnelId, expiresAtMs = BEGIN_MS + ROUTE_MS) => ({
      key,
      expiresAtMs,
      signature: signed(routeBytes({ nodeId: id, relayId, tunnelId }, expiresAtMs)),
    }),
    move(name, from) {
      const signature = from.sign(claimBytes(exporter, { name, nodeId: id }))
      return this.claim(name, { previous: { nodeId: from.id, key: from.key, signature } })
    },
    claim: (name, more = {}) => ({
      name,
      nodeId: id,
      key,
      signature: signed(claimBytes(exporter, { name, nodeId: id })),
      exporter: exporter.toString('base64url'),
      ...more,
    }),
  }
}
