import { createHmac } from 'node:crypto'

/** Digits of a fingerprint: enough to tell secrets apart, too few to look one up. */
const DIGITS = 12

/** What the audit says of a secret in its place: the same for the same secret and key, worthless without the key. */
export function fingerprintOf(key: Buffer, secret: string): string {
  return `fingerprint:${createHmac('sha256', key).update(`audit fingerprint\0${secret}`).digest('hex').slice(0, DIGITS)}`
}
