// What `npm test` runs: installs the Debian packages that the tests use, then every check.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { check } from './check.ts'
import { installDebianPackages } from './install-debian-packages.ts'
import { installPackage } from './install-package.ts'

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
