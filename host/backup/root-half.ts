import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { FileEntry } from '../../store/backup/entries.ts'
import { stageFile } from '../../store/backup/stage.ts'
import { makeDirectories, replaceFiles } from '../../system/replace-files.ts'
import type { RootDirectories } from './backup.ts'

const STAGED = '.restore-new'

/** Files of root's that a restore brings, staged in a directory of root's. */
export type RootHalf = {
  readonly stage: (file: FileEntry) => Promise<void>
  /** Replaces one by one what differs; what was there before is kept. @returns whether anything was */
  readonly put: (aside: string) => boolean
  readonly remove: () => void
}

/** @param directories as the command has them: nothing in the state directory decides where root writes */
export function rootHalf(directories: RootDirectories): RootHalf {
  const staged = join(directories.deploy, STAGED)
  makeDirectories(directories.deploy, 0o755)
  rmSync(staged, { recursive: true, force: true })
  mkdirSync(staged, { mode: 0o700 })

  function putFile(root: keyof RootDirectories, path: string, aside: string): boolean {
    const from = join(staged, root, path)
    const to = join(directories[root], path)
    const text = readFileSync(from)
    const before = existsSync(to) ? readFileSync(to) : undefined
    if (before?.equals(text)) return false
    if (before !== undefined)
      replaceFiles([{ file: join(aside, root, path), text: before, mode: 0o600 }], {
        links: 'replace',
        parentMode: 0o700,
      })
    const mode = statSync(from).mode & 0o777
    replaceFiles([{ file: to, text, mode }], { links: 'replace', parentMode: 0o755 })
    return before !== undefined
  }

  return {
    stage: (file) => stageFile(staged, file),
    put: (aside) =>
      (['config', 'deploy'] as const)
        .flatMap((root) => filesBelow(join(staged, root)).map((path) => putFile(root, path, aside)))
        .includes(true),
    remove: () => rmSync(staged, { recursive: true, force: true }),
  }
}

function filesBelow(directory: string, inner = ''): string[] {
  if (!existsSync(join(directory, inner))) return []
  return readdirSync(join(directory, inner), { withFileTypes: true }).flatMap((entry) => {
    const path = join(inner, entry.name)
    return entry.isDirectory() ? filesBelow(directory, path) : [path]
  })
}
