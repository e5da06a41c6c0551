import { createHash, type X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { type ConnectionOptions, checkServerIdentity } from 'node:tls'
import { PRIVATE_RANGES } from '../../../schemas/words/address.ts'
import { rangesOf } from '../../../schemas/words/address-ranges.ts'
import { codeOf } from '../../../system/error-code.ts'
import { lookupAmong } from '../../../system/lookup-among.ts'
import { ALPN } from '../protocol.ts'
import type { NodeIdentity } from './identity.ts'

/** Whom a node takes for a relay. */
export type RelayTrust = {
  /** PEM; undefined: the CAs that Node knows. */
  readonly ca: string | undefined
  /** Base64 of SHA-256 of the relay's public key (SubjectPublicKeyInfo); empty: its certificate has to be for its name. */
  readonly pins: readonly string[]
}

/** Where a relay is, and what it calls itself. */
export type RelayAddress = {
  readonly host: string
  readonly port: number
  readonly servername: string
  /** Whether it may be in a private network or on this host; where not, a name that leads there is not followed. */
  readonly mayBePrivate: boolean
}

/** Whether an address is none of the Internet. */
export const isPrivate = rangesOf(PRIVATE_RANGES)

const lookupPublic = lookupAmong(
  (address) => !isPrivate(address),
  (host) => new Error(`${host}, which another relay names, is in a private network`),
)

/** How a relay is dialled: with the node's key, and such that no other host is taken for it. */
export function dialOptions(
  { key, cert }: NodeIdentity,
  { host, port, servername, mayBePrivate }: RelayAddress,
  { ca, pins }: RelayTrust,
): ConnectionOptions {
  return {
    host,
    port,
    key,
    cert,
    minVersion: 'TLSv1.3',
    ALPNProtocols: [ALPN],
    ...(isIP(servername) === 0 && { servername }),
    ...(!mayBePrivate && { lookup: lookupPublic }),
    ...(ca !== undefined && { ca }),
    rejectUnauthorized: pins.length === 0, // a key that is pinned needs no one to vouch for it
    checkServerIdentity: (_, certificate) => checkServerIdentity(servername, certificate),
  }
}

/**
 * Why a relay's certificate is not believed, and what to set, in place of what TLS says.
 * @returns undefined for another error
 * @see https://nodejs.org/api/tls.html#x509-certificate-error-codes
 */
export function certificateFlaw(error: unknown, servername: string): string | undefined {
  switch (codeOf(error)) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return `its certificate is signed by its own key: ${SET_PIN}`
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return `its certificate is from a CA that is not trusted here: set relay.ca to a file with that CA, or ${SET_PIN}`
    case 'CERT_HAS_EXPIRED':
      return `its certificate has expired: its operator has to renew it, or ${SET_PIN}`
    case 'CERT_NOT_YET_VALID':
      return 'its certificate is not valid yet: compare the clocks of both hosts'
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `its certificate is not for ${servername}: name it in relay.addresses as its certificate does, or ${SET_PIN}`
    default:
      return undefined
  }
}

const SET_PIN = 'set relay.pins to the pin that "gatectl relay status --instance NAME" shows on its host'

/** Base64 of SHA-256 of a public key. @param spki its DER */
export const pinOf = (spki: Buffer): string => createHash('sha256').update(spki).digest('base64')

/** Why a relay is not the one that is pinned; undefined: it is, or none is. */
export function pinFlaw(certificate: X509Certificate | undefined, pins: readonly string[]): string | undefined {
  if (pins.length === 0) return undefined
  const pin = certificate === undefined ? '' : pinOf(certificate.publicKey.export({ type: 'spki', format: 'der' }))
  return pins.includes(pin) ? undefined : `its key ${pin} is none of relay.pins`
}
