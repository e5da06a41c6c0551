import { createCipheriv, createDecipheriv } from 'node:crypto'

/**
 * The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár: "Online Authenticated-Encryption", CRYPTO 2015) with
 * AES-256-GCM: each chunk has a nonce of prefix (7 bytes), number (4 bytes, big-endian) and 1 for the last one, else 0.
 * So chunks can be neither changed, moved, left out nor cut off.
 */
export const CHUNK_BYTES = 65_536
const TAG_BYTES = 16
export const PREFIX_BYTES = 7
const MOST_CHUNKS = 2 ** 32

/** What locks a stream: a key of 32 bytes that is used for nothing else, and the prefix of its nonces. */
export type StreamKey = { readonly key: Buffer; readonly prefix: Buffer }

/** Why a file could not be read. `key`: it does not open with what was given. `damaged`: it is not whole. */
export class BackupError extends Error {
  readonly reason: 'key' | 'damaged' | 'newer' | 'format'
  constructor(reason: BackupError['reason'], message: string, options?: { readonly cause: unknown }) {
    super(message, options)
    this.name = 'BackupError'
    this.reason = reason
  }
}

/** Encrypts pieces of any size, in bounded memory. */
export async function* encrypted(pieces: AsyncIterable<Buffer>, { key, prefix }: StreamKey): AsyncGenerator<Buffer> {
  let number = 0
  let held: Buffer | null = null
  for await (const chunk of inChunks(pieces, CHUNK_BYTES)) {
    if (held !== null) yield encryptedChunk(held, key, nonceOf(prefix, number++, false))
    held = chunk
  }
  yield encryptedChunk(held ?? Buffer.alloc(0), key, nonceOf(prefix, number, true))
}

/** Decrypts what `encrypted` made; nothing is handed on that was not checked. @throws BackupError */
export async function* decrypted(pieces: AsyncIterable<Buffer>, { key, prefix }: StreamKey): AsyncGenerator<Buffer> {
  let number = 0
  let held: Buffer | null = null
  for await (const chunk of inChunks(pieces, CHUNK_BYTES + TAG_BYTES)) {
    if (held !== null) yield decryptedChunk(held, key, nonceOf(prefix, number, false), number++)
    held = chunk
  }
  yield decryptedChunk(held ?? Buffer.alloc(0), key, nonceOf(prefix, number, true), number)
}

function encryptedChunk(chunk: Buffer, key: Buffer, nonce: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  return Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()])
}

function decryptedChunk(chunk: Buffer, key: Buffer, nonce: Buffer, number: number): Buffer {
  const end = chunk.length - TAG_BYTES
  if (end < 0) throw damaged(number)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAuthTag(chunk.subarray(end))
  try {
    return Buffer.concat([decipher.update(chunk.subarray(0, end)), decipher.final()])
  } catch (cause) {
    throw number === 0
      ? new BackupError('key', 'the passphrase or key is another one, or the file is damaged', { cause })
      : damaged(number, cause)
  }
}

function damaged(number: number, cause?: unknown): BackupError {
  const message = `the file is damaged or cut off (${Math.floor((number * CHUNK_BYTES) / 1024)} KiB from its beginning)`
  return new BackupError('damaged', message, cause === undefined ? undefined : { cause })
}

function nonceOf(prefix: Buffer, number: number, isLast: boolean): Buffer {
  if (number >= MOST_CHUNKS) throw new RangeError('a backup cannot be larger than 256 TiB')
  const nonce = Buffer.alloc(PREFIX_BYTES + 5)
  prefix.copy(nonce)
  nonce.writeUInt32BE(number, PREFIX_BYTES)
  nonce[PREFIX_BYTES + 4] = isLast ? 1 : 0
  return nonce
}

/** The same bytes in pieces of one size, but for the last. */
async function* inChunks(pieces: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let held: Buffer[] = []
  let length = 0
  for await (const piece of pieces) {
    held.push(piece)
    length += piece.length
    if (length < bytes) continue
    const all = Buffer.concat(held, length)
    let at = 0
    for (; at + bytes <= length; at += bytes) yield all.subarray(at, at + bytes)
    held = [all.subarray(at)]
    length -= at
  }
  if (length > 0) yield Buffer.concat(held, length)
}
