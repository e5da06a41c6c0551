import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ownRepository = join(import.meta.dirname, '..')

/**
 * The sources of another commit, with the dependencies of this one.
 * @throws Error when there is no such commit, or nowhere to put it; nothing is left then
 */
export function sourcesOf(commit: string, repository = ownRepository): Disposable & { readonly folder: string } {
  using made = new DisposableStack()
  const directory = mkdtempSync(join(tmpdir(), 'gate-before-'))
  made.defer(() => rmSync(directory, { recursive: true, force: true }))
  const folder = join(directory, 'sources')
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', repository, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  git('worktree', 'add', '--detach', folder, commit)
  made.defer(() => git('worktree', 'remove', '--force', folder))
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
  const kept = made.move()
  return { folder, [Symbol.dispose]: () => kept.dispose() }
}
