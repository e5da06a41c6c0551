import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const peers = join(import.meta.dirname, 'peers')
const PACKAGES: Readonly<Record<string, string>> = { wrk: 'wrk', nginx: 'nginx-light', taskset: 'util-linux' }

/** Installs what the bench needs and is missing. @throws Error naming what to install by hand */
export function installMissing(needs: { readonly portkey: boolean }): void {
  const missing = Object.keys(PACKAGES).filter(
    (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0,
  )
  if (missing.length > 0) installPackages(missing.map((program) => PACKAGES[program] ?? program))
  if (needs.portkey && !peersCurrent()) installPeers()
}

function installPackages(names: readonly string[]): void {
  const byHand = `the bench needs ${names.join(' ')}; as root on Debian: apt-get install ${names.join(' ')}`
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) throw new Error(byHand)
  console.error(`bench: installing ${names.join(' ')}`)
  run('apt-get', ['update', '-q'], byHand)
  run('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...names], byHand)
}

const lock = join(peers, 'package-lock.json')
const installedLock = join(peers, 'node_modules/.installed-lock')
const peersCurrent = () => existsSync(installedLock) && readFileSync(installedLock).equals(readFileSync(lock))

function installPeers(): void {
  console.error('bench: installing the gateways to compare with (npm ci in bench/peers)')
  run('npm', ['ci', '--prefix', peers, '--ignore-scripts', '--loglevel=error'], `npm ci failed in ${peers}`)
  cpSync(lock, installedLock)
}

function run(command: string, args: readonly string[], whenFailed: string): void {
  const { status } = spawnSync(command, args, { stdio: ['ignore', process.stderr, process.stderr] })
  if (status !== 0) throw new Error(whenFailed)
}
