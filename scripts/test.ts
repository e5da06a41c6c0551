// What `npm test` runs: installs the Debian packages that the tests use, then every check.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { check } from './check.ts'
import { installPackage } from './install-package.ts'

const PACKAGES = join(import.meta.dirname, '../test/debian-packages.txt')

/**
 * Installs what test/debian-packages.txt lists and is missing. Needs root on Debian; elsewhere it says so, and the
 * tests that need a program which is not there skip themselves by name.
 */
function installDebianPackages(): void {
  const wanted = readFileSync(PACKAGES, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
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

/**
 * npm leaves an optional package out that cannot be compiled; the compiler may have come with the packages just now.
 */
function installOptional(): void {
  const root = join(import.meta.dirname, '..')
  if (existsSync(join(root, 'node_modules/node-pty'))) return
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']
  spawnSync('npm', args, { cwd: root, stdio: 'inherit' })
  if (!existsSync(join(root, 'node_modules/node-pty')))
    console.log('node-pty cannot be compiled here; tests of shells are skipped by name')
}

/** Programs that bring much with them are packages of their own; without them their tests are skipped by name. */
function installPrograms(folder: string): void {
  try {
    installPackage(folder)
  } catch (error) {
    console.log(`${String(error)}; tests of these programs are skipped by name`)
  }
}

installDebianPackages()
installOptional()
installPrograms('test/clients')
// 1.5 GB: on a machine of one's own only when `npm run test:agents` is asked for
if (!['', 'false', '0', undefined].includes(process.env['CI'])) installPrograms('test/agents')
await check()
