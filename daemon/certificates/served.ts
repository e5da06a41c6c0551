import type { Life } from '../../pki/acme/schedule.ts'
import { describeCertificate, readCertificate } from '../../pki/certificate.ts'
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

/** @param names that it has to be for @returns undefined for a pair that does not fit together, or is not for the names */
export function toServed(pair: Pair, names: readonly string[]): Served | undefined {
  const facts = readCertificate(pair.cert, [], pair.key)
  const found = describeCertificate(pair.cert)
  if (facts?.matchesKey !== true || found === undefined) return undefined
  if (names.some((name) => !found.names.includes(name))) return undefined
  const { fromMs, toMs } = facts
  // the same at each start, and another one for each certificate
  const chance = Number.parseInt(found.sha256.slice(0, 8), 16) / 2 ** 32
  return { pair, life: { fromMs, toMs }, identity: { names: found.names, ...pair }, chance }
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
