import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { nodeIdOf } from './protocol.ts'

/** What a node says with its key: visitors for me may be passed on to this relay, which has this tunnel of mine. */
export type SignedRoute = {
  /** Unix milliseconds, by the clock of the node. */
  readonly expiresAtMs: number
  /** Base64url, over `routeBytes`. */
  readonly signature: string
}

/** A signed route with the key that it is checked against. */
export type RouteProof = SignedRoute & {
  /** Base64url of the DER of the node's public key. */
  readonly key: string
}

/** The tunnel that a route is about. */
export type RouteOf = { readonly nodeId: string; readonly relayId: string; readonly tunnelId: string }

/** How long a node vouches for a tunnel: a relay that it has left can draw its visitors no longer. */
export const ROUTE_MS = 12 * 3_600_000
/** Renewed while two thirds of it are left, so that routes outlive a registry that is lost for hours. */
export const RENEW_ROUTE_MS = ROUTE_MS / 3

/** What the node signs: a fixed text, then JSON with its fields in this order. */
export function routeBytes({ nodeId, relayId, tunnelId }: RouteOf, expiresAtMs: number): Buffer {
  return Buffer.from(`gate-relay route v1\0${JSON.stringify({ nodeId, relayId, tunnelId, expiresAtMs })}`)
}

/** Whether the node itself has said so. The time is for the caller to look at. */
export function isRouteSigned(route: RouteOf, { key, expiresAtMs, signature }: RouteProof): boolean {
  const spki = Buffer.from(key, 'base64url')
  return nodeIdOf(spki) === route.nodeId && isSigned(routeBytes(route, expiresAtMs), spki, signature)
}

/** @param spki DER of a public key @param signature base64url @returns false, too, for what is not an Ed25519 key */
export function isSigned(bytes: Buffer, spki: Buffer, signature: string): boolean {
  const key = keyOf(spki)
  return key !== undefined && verify(null, bytes, key, Buffer.from(signature, 'base64url'))
}

function keyOf(spki: Buffer): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: spki, format: 'der', type: 'spki' })
    return key.asymmetricKeyType === 'ed25519' ? key : undefined
  } catch {
    return undefined
  }
}
