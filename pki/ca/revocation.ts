import { DER, der } from '../../syntax/der/der.ts'
import { type CertificateAndKey, signRevocations } from './signing.ts'

/** Object identifier of the number of a list. @see RFC 5280 5.2.3 */
const CRL_NUMBER = '2.5.29.20'
/** How long a list counts; the timer of root signs it anew each day. */
const LIST_LIFE_MS = 30 * 86_400_000

/** A certificate that is not to be trusted any more; its number in hexadecimal digits. */
export type Revoked = { readonly serial: string; readonly atMs: number }

/**
 * Signs the list of the revoked certificates of a CA.
 * @returns PEM @throws CaError unreadable
 */
export async function revocationList(
  ca: CertificateAndKey,
  revoked: readonly Revoked[],
  nowMs: number,
): Promise<string> {
  // time itself grows, and needs no file that counts
  const number = Math.floor(nowMs / 1000)
  const extensions = [{ id: CRL_NUMBER, value: der(DER.integer, positive(number)) }]
  return await signRevocations({ fromMs: nowMs, toMs: nowMs + LIST_LIFE_MS, revoked, extensions }, ca)
}

function positive(number: number): Uint8Array {
  const hex = number.toString(16)
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  return (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Uint8Array.of(0), bytes])
}
