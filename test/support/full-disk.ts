import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '../../system/error-code.ts'

/** Whether this process may mount a file system of its own to fill. */
export const canMount = process.getuid?.() === 0 && process.platform === 'linux'

/** Mounts a file system of 2 MiB on a directory. @returns what takes it away again */
export function mountSmall(directory: string): () => void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=0700', 'tmpfs', directory])
  return () => void execFileSync('umount', ['-l', directory]) // what is being ended may still have a file open
}

/** Fills the file system of a directory to the last byte. @returns the file that fills it */
export function fill(directory: string): string {
  const filler = join(directory, 'filler')
  writeFileSync(filler, '')
  for (const bytes of [2 ** 16, 2 ** 12, 1]) {
    for (;;) {
      try {
        writeFileSync(filler, Buffer.alloc(bytes), { flag: 'a' })
      } catch (error) {
        if (codeOf(error) !== 'ENOSPC') throw error
        break
      }
    }
  }
  return filler
}
