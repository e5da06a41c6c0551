import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const repository = join(import.meta.dirname, '..')

/**
 * The sources of another commit, with the dependencies of this one.
 * @throws Error when there is no such commit
 */
export function sourcesOf(commit: string): Disposable & { readonly folder: string } {
  const directory = mkdtempSync(join(tmpdir(), 'gate-before-'))
  const folder = join(directory, 'sources')
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', repository, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  git('worktree', 'add', '--detach', folder, commit)
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
  return {
    folder,
    [Symbol.dispose]() {
      git('worktree', 'remove', '--force', folder)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
