import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { BackupError, decrypted } from '../../store/backup/chunks.ts'
import { type FileEntry, MANIFEST, read } from '../../store/backup/entries.ts'
import { LONGEST_HEADER, MAGIC, type Unlock, unlocked } from '../../store/backup/lock.ts'
import { type Manifest, manifestOf } from '../../store/backup/manifest.ts'

const LONGEST_MANIFEST = 64 * 2 ** 20

/** Opens a backup: its manifest, then its files one after the other. @throws BackupError, the system's error */
export async function openBackup(
  file: string,
  unlock: Unlock,
): Promise<{ readonly manifest: Manifest; readonly files: AsyncIterable<FileEntry> }> {
  const head = await headOf(file)
  const key = await unlocked(head, unlock)
  const files = read(decrypted(createReadStream(file, { start: head.length }), key))
  const first = await files.next()
  if (first.done === true || first.value.entry.path !== MANIFEST) throw new BackupError('format', 'it has no manifest')
  const { entry, content } = first.value
  if (entry.bytes > LONGEST_MANIFEST) throw new BackupError('format', 'its manifest is too long')
  const pieces: Buffer[] = []
  for await (const piece of content) pieces.push(piece)
  return { manifest: manifestOf(Buffer.concat(pieces).toString()), files }
}

/** Whether a file is no backup that can be used: its message says why. */
export const isUnusable = (error: unknown): error is BackupError => error instanceof BackupError

/** The two lines that a backup begins with. */
async function headOf(file: string): Promise<Buffer> {
  const handle = await open(file, 'r')
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(LONGEST_HEADER), 0, LONGEST_HEADER, 0)
    const read = buffer.subarray(0, bytesRead)
    const end = read.indexOf('\n', MAGIC.length)
    if (!read.subarray(0, MAGIC.length).equals(Buffer.from(MAGIC)) || end === -1)
      throw new BackupError('format', 'it is not a backup that gatectl made')
    return read.subarray(0, end + 1)
  } finally {
    await handle.close()
  }
}
