import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDir } from './rootfs.ts'

/** The last commit before issue 11 took powers away: models were the gateway's, shells went through its agent. */
const BEFORE = 'a25b6498371a3754fe18b9bd72b6a4f3fb89d397'
const root = join(import.meta.dirname, '../..')

/** Whether the sources of the version before are here: not in a shallow clone, nor in an archive of the sources. */
export const hasVersionBefore =
  spawnSync('git', ['-C', root, 'cat-file', '-e', `${BEFORE}^{commit}`], { stdio: 'ignore' }).status === 0

/**
 * The Debian package of the version before, as 9.0.0. Built from its own sources and kept in the cache.
 * @returns its path
 */
export function packageBefore(): string {
  const kept = join(cacheDir, `gate-${BEFORE.slice(0, 12)}-${process.arch}.deb`)
  if (existsSync(kept)) return kept
  const work = mkdtempSync(join(cacheDir, 'pack-'))
  try {
    const sources = execFileSync('git', ['-C', root, 'archive', BEFORE], { maxBuffer: 2 ** 28 })
    execFileSync('tar', ['-xC', work], { input: sources })
    symlinkSync(join(root, 'node_modules'), join(work, 'node_modules')) // it has the same dependencies
    const build = ['--disable-warning=ExperimentalWarning', 'scripts/package-deb.ts', '--quick', '--version', '9.0.0']
    const env = { ...process.env, SOURCE_DATE_EPOCH: '1796000000' }
    const deb = execFileSync(process.execPath, [...build, '--out', 'built'], { cwd: work, env, encoding: 'utf8' })
    renameSync(join(work, 'built', deb.trim().split('/').at(-1) ?? ''), kept)
    return kept
  } finally {
    rmSync(work, { recursive: true })
  }
}
