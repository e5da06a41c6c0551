import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from './error-code.ts'

/** Twice what SQLite needs to open a database that no program has open. */
const ROOM_BYTES = 64 * 2 ** 10

/** Whether a directory has room for 64 KiB, tried by writing them; true also where it cannot be written at all. */
export function hasRoom(directory: string): boolean {
  const file = join(directory, '.room')
  try {
    writeFileSync(file, Buffer.alloc(ROOM_BYTES), { mode: 0o600 })
    return true
  } catch (error) {
    return codeOf(error) !== 'ENOSPC' && codeOf(error) !== 'EDQUOT'
  } finally {
    rmSync(file, { force: true })
  }
}
