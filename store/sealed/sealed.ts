import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/**
 * AES-256-GCM. Sealed bytes are: the version of this layout (2), the id of the key (8 bytes), a nonce, the tag, and the
 * text. Version 1 had no id.
 */
const VERSION = 2
const FIRST_VERSION = 1
const ID_BYTES = 8
const NONCE_BYTES = 12
const TAG_BYTES = 16
export const KEY_BYTES = 32

/** A key with its id: 16 hexadecimal digits. */
export type SealingKey = { readonly id: string; readonly bytes: Buffer }

/** Where a sealed text belongs: table and row. It opens nowhere else. */
export type Place = readonly [table: string, ...row: readonly string[]]

export function seal({ id, bytes }: SealingKey, place: Place, text: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const head = sealedHead(id)
  const cipher = createCipheriv('aes-256-gcm', bytes, nonce)
  cipher.setAAD(Buffer.concat([head, placeBytes(place)]))
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([head, nonce, cipher.getAuthTag(), sealed])
}

/** The id of the key that opens it; 'first' for the layout without ids; null: it is nothing sealed. */
export function keyIdOf(sealed: Buffer): string | 'first' | null {
  if (sealed.length < 1 + NONCE_BYTES + TAG_BYTES) return null
  if (sealed[0] === FIRST_VERSION) return 'first'
  if (sealed[0] !== VERSION || sealed.length < 1 + ID_BYTES + NONCE_BYTES + TAG_BYTES) return null
  return sealed.toString('hex', 1, 1 + ID_BYTES)
}

/** What every text that a key has sealed begins with. */
export const sealedHead = (id: string): Buffer => Buffer.concat([Buffer.of(VERSION), Buffer.from(id, 'hex')])

/** @returns null when it was sealed with another key or for another place, or is damaged */
export function unseal(bytes: Buffer, place: Place, sealed: Buffer): string | null {
  const id = keyIdOf(sealed)
  if (id === null) return null
  const headBytes = id === 'first' ? 1 : 1 + ID_BYTES
  const textAt = headBytes + NONCE_BYTES + TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', bytes, sealed.subarray(headBytes, headBytes + NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
  const placed = placeBytes(place)
  decipher.setAAD(id === 'first' ? placed : Buffer.concat([sealed.subarray(0, headBytes), placed]))
  decipher.setAuthTag(sealed.subarray(headBytes + NONCE_BYTES, textAt))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(textAt)), decipher.final()]).toString('utf8')
  } catch {
    return null
  }
}

const placeBytes = (place: Place): Buffer => Buffer.from(JSON.stringify(place))
