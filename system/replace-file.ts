import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { followed, makeDirectories, stagedName } from './replace-files.ts'

type Options = {
  /** Exact, whatever the umask is. */
  readonly mode: number
  /** Mode of directories that are made for the file, less the umask. */
  readonly parentMode: number
  /** Of the staged file; one process writes at a time, which then removes what a killed one left. */
  readonly stagedSuffix: string
}

/**
 * Replaces a long file without holding up the loop: it is the old or the new one at any moment, and on the disk when this
 * resolves. A link stays, and the file that it leads to is replaced.
 * @param pieces made one after the other, each when the one before was written
 * @throws the system's error; the staged file is gone then
 */
export async function replaceFile(file: string, pieces: Iterable<string>, options: Options): Promise<void> {
  const { mode, parentMode, stagedSuffix } = options
  const target = followed(file)
  const staged = stagedName(target, stagedSuffix)
  makeDirectories(dirname(target), parentMode)
  await rm(staged, { force: true })
  try {
    const handle = await open(staged, 'wx', mode)
    try {
      for (const piece of pieces) await handle.writeFile(piece)
      await handle.chmod(mode)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(staged, target)
  } catch (error) {
    await rm(staged, { force: true })
    throw error
  }
  const directory = await open(dirname(target), 'r')
  await directory.sync().finally(() => directory.close())
}
