import { createSecureContext } from 'node:tls'
import type { Life } from '../../pki/acme/schedule.ts'
import { describeCertificate, keyFlaw, readCertificate } from '../../pki/certificate.ts'
import type { Identity } from '../listener/identities.ts'
import type { Pair } from './kept.ts'

/** A certificate that is served. */
export type Served = {
  readonly pair: Pair
  readonly life: Life
  readonly identity: Identity
  /** 0 to 1, the same for the same certificate. */
  readonly chance: number
}

/** What the two of a pair are called where they are refused. */
export type Called = { readonly cert: string; readonly key: string }

/**
 * @param names that it has to be for
 * @throws Error for a pair that cannot be served: it does not fit together, is not for the names, or TLS refuses it
 */
export function toServed(pair: Pair, names: readonly string[], called: Called): Served {
  const facts = readCertificate(pair.cert, [], pair.key)
  const found = describeCertificate(pair.cert)
  if (facts === undefined || found === undefined) throw new Error(`${called.cert} is not a certificate in PEM`)
  const flaw = keyFlaw(pair.key)
  if (flaw === 'encrypted')
    throw new Error(`${called.key} is encrypted: write it without a passphrase (openssl pkey -in OLD -out NEW)`)
  if (flaw === 'unreadable') throw new Error(`${called.key} is not a private key in PEM`)
  if (facts.matchesKey !== true) throw new Error(`${called.key} is not the private key of ${called.cert}`)
  if (found.names.length === 0)
    throw new Error(`${called.cert} names no host in subjectAltName: no client accepts it; get one that does`)
  const lost = names.filter((name) => !found.names.includes(name))
  if (lost.length > 0) throw new Error(`${called.cert} is not for the name ${lost.join(', ')}`)
  refuseUnfit(pair, called)
  const { fromMs, toMs } = facts
  // the same at each start, and another one for each certificate
  const chance = Number.parseInt(found.sha256.slice(0, 8), 16) / 2 ** 32
  return { pair, life: { fromMs, toMs }, identity: { names: found.names, ...pair }, chance }
}

/** OpenSSL takes no short keys and no weak signatures. @throws Error with its reason */
function refuseUnfit({ cert, key }: Pair, called: Called): void {
  try {
    createSecureContext({ cert, key })
  } catch (error) {
    const reason = error instanceof Error && 'reason' in error ? String(error.reason) : String(error)
    throw new Error(`TLS does not take ${called.cert}: ${reason}`, { cause: error })
  }
}

/** What the status says of a certificate. @throws Error for what is not one; it was read before */
export function servedStatus({ cert }: Pair, { fromMs, toMs }: Life) {
  const found = describeCertificate(cert)
  if (found === undefined) throw new Error('not a certificate')
  const { issuer, serial, sha256, key } = found
  return {
    issuer,
    serial,
    sha256,
    key,
    not_before: new Date(fromMs).toISOString(),
    not_after: new Date(toMs).toISOString(),
  }
}
