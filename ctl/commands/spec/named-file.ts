import { closeSync, openSync, readSync } from 'node:fs'
import { unreadable } from '../../failure.ts'

/** @throws Failure when the file cannot be read, is not UTF-8, or is larger than any that people write */
export function readNamed(file: string, absentHint?: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readBounded(file))
  } catch (error) {
    if (error instanceof TypeError || (error instanceof Error && 'code' in error))
      return unreadable(file, error, absentHint)
    throw error
  }
}

const LARGEST_BYTES = 16 * 2 ** 20

/** Counted while it is read: a pipe, as of `<(sops -d gate.toml)`, has no size, and a device may never end. */
function readBounded(file: string): Buffer {
  const descriptor = openSync(file, 'r')
  try {
    const parts: Buffer[] = []
    for (let bytes = 0; bytes <= LARGEST_BYTES; ) {
      const part = Buffer.allocUnsafe(2 ** 16)
      const read = readSync(descriptor, part)
      if (read === 0) return Buffer.concat(parts)
      parts.push(part.subarray(0, read))
      bytes += read
    }
    throw Object.assign(new Error('file too large'), { code: 'EFBIG' })
  } finally {
    closeSync(descriptor)
  }
}
