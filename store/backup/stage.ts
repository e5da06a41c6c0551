import { mkdirSync, readdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { syncDirectory } from '../../system/replace-files.ts'
import { type FileEntry, isOfState } from './entries.ts'

/** Writes a file of a backup below a directory of the caller's alone. @throws the system's error */
export async function stageFile(staged: string, { entry, content }: FileEntry): Promise<void> {
  const path = join(staged, entry.path)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const mode = entry.mode & (isOfState(entry) ? 0o700 : 0o777) // the daemon's own are for its account alone
  const handle = await open(path, 'wx', mode)
  try {
    for await (const piece of content) await handle.writeFile(piece)
    await handle.chmod(mode)
    await handle.utimes(entry.modifiedMs / 1_000, entry.modifiedMs / 1_000)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes the names in a directory and below it durable. */
export function syncTree(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true }))
    if (entry.isDirectory()) syncTree(join(directory, entry.name))
  syncDirectory(directory)
}
