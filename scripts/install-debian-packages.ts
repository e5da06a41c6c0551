import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const PACKAGES = join(import.meta.dirname, '../test/debian-packages.txt')

/**
 * Installs what test/debian-packages.txt lists and is missing. Needs root on Debian; elsewhere it says so, and the
 * tests that need a program which is not there skip themselves by name.
 * @param more packages beside those, too large for every run
 */
export function installDebianPackages(...more: readonly string[]): void {
  const listed = readFileSync(PACKAGES, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  const wanted = [...listed, ...more]
  if (!existsSync('/etc/debian_version') || process.getuid?.() !== 0) {
    console.log(`not root on Debian: tests that need one of these are skipped by name: ${wanted.join(', ')}`)
    return
  }
  const missing = wanted.filter((name) => {
    const { stdout } = spawnSync('dpkg-query', ['-s', name], { encoding: 'utf8' })
    return !stdout.includes('Status: install ok installed')
  })
  if (missing.length === 0) return
  console.log(`installing Debian packages: ${missing.join(', ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args: string[]) =>
    spawnSync('apt-get', ['-qq', ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
  if (apt('update') && apt('install', '-y', '--no-install-recommends', ...missing)) return
  console.log('not every package could be installed; tests that need a missing program are skipped by name')
}
