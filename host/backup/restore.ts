import { join } from 'node:path'
import { type FileEntry, isOfState } from '../../store/backup/entries.ts'
import type { Unlock } from '../../store/backup/lock.ts'
import type { Manifest } from '../../store/backup/manifest.ts'
import type { RootDirectories } from './backup.ts'
import { openBackup } from './opened.ts'
import { rootHalf } from './root-half.ts'
import { type Owner, stateHalf } from './state-half.ts'

export type RestoreOptions = {
  readonly file: string
  readonly unlock: Unlock
  readonly stateDirectory: string
  /** Where root's parts go; absent: they are left out. */
  readonly directories?: RootDirectories | undefined
  /** Who the files of the state directory are to belong to; absent: who the directory belongs to. */
  readonly owner?: Owner | undefined
  /** Whether nothing is replaced. */
  readonly checkOnly: boolean
  readonly now: () => number
}

export type Restored = {
  readonly manifest: Manifest
  readonly files: number
  /** Where what was there before is now; null: there was nothing, or nothing was replaced. */
  readonly aside: string | null
  /** The same of files of root's. */
  readonly rootAside: string | null
}

/**
 * Puts a backup in place of a state directory, as the account that it belongs to, and then what is root's. All of it is
 * read and checked before anything is replaced; what was there is moved aside. A restore that was broken off is finished
 * by the next one; until then no daemon starts.
 * @throws BackupError, Error: a daemon runs there; the disk is full
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { stateDirectory, file, unlock, checkOnly, owner, now } = options
  const directories = checkOnly ? undefined : options.directories
  const { manifest, files } = await openBackup(file, unlock)
  const state = stateHalf(stateDirectory, owner)
  const root = directories === undefined ? null : rootHalf(directories)
  const name = `before-restore-${new Date(now()).toISOString().replaceAll(':', '')}`
  const aside = join(stateDirectory, name)
  let count = 0
  async function* ofState(): AsyncGenerator<FileEntry> {
    for await (const each of files) {
      count += 1
      if (isOfState(each.entry)) yield each
      else await root?.stage(each)
    }
  }
  try {
    const isAside = await state.put(ofState(), { aside, checkOnly, isHalf: root !== null })
    const done = { manifest, files: count, aside: isAside ? aside : null }
    if (root === null || directories === undefined) return { ...done, rootAside: null }
    const kept = join(directories.deploy, name)
    const isKept = root.put(kept)
    await state.noteWhole()
    return { ...done, rootAside: isKept ? kept : null }
  } finally {
    root?.remove()
  }
}
