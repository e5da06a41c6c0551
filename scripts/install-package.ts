import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

/**
 * Installs a package of its own below test/, as its lock file says, without running scripts of what it installs.
 * @param folder such as `test/agents`
 * @throws Error when npm fails
 */
export function installPackage(folder: string): void {
  const lock = join(root, folder, 'package-lock.json')
  const installed = join(root, folder, 'node_modules/.installed-lock')
  if (existsSync(installed) && readFileSync(installed).equals(readFileSync(lock))) return
  console.log(`installing what ${folder} needs`)
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']
  const { status } = spawnSync('npm', args, { cwd: join(root, folder), stdio: 'inherit' })
  if (status !== 0) throw new Error(`npm install in ${folder} exited with ${status}`)
  copyFileSync(lock, installed)
}
