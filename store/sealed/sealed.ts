import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/** AES-256-GCM. Sealed bytes are: the version of this layout (1), a nonce, the tag, and the text. */
const VERSION = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEAD_BYTES = 1 + NONCE_BYTES + TAG_BYTES
export const KEY_BYTES = 32

/** Where a sealed text belongs: table and row. It opens nowhere else. */
export type Place = readonly [table: string, ...row: readonly string[]]

/** @param key of 32 bytes */
export function seal(key: Buffer, place: Place, text: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(placeBytes(place))
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), sealed])
}

/** @returns null when it was sealed with another key or for another place, or is damaged */
export function unseal(key: Buffer, place: Place, sealed: Buffer): string | null {
  if (sealed.length < HEAD_BYTES || sealed[0] !== VERSION) return null
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAAD(placeBytes(place))
  decipher.setAuthTag(sealed.subarray(1 + NONCE_BYTES, HEAD_BYTES))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(HEAD_BYTES)), decipher.final()]).toString('utf8')
  } catch {
    return null
  }
}

const placeBytes = (place: Place): Buffer => Buffer.from(JSON.stringify(place))
