import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const peers = join(import.meta.dirname, 'peers')
/** Where peers are put that npm does not install. */
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'gate-bench')
const LITELLM_FOLDER = join(cache, 'litellm')
export const LITELLM = join(LITELLM_FOLDER, 'bin/litellm')
const BIFROST_VERSION = 'v1.3.0'
const BIFROST_FOLDER = join(cache, `bifrost-${BIFROST_VERSION}`)
export const BIFROST = join(BIFROST_FOLDER, 'bifrost-http')

const PACKAGES: Readonly<Record<string, string>> = {
  wrk: 'wrk',
  nginx: 'nginx-light',
  taskset: 'util-linux',
  h2load: 'nghttp2-client',
  openssl: 'openssl',
}

/** What a peer is installed by. @returns why it could not be; null: it is there */
const PEERS: Readonly<Record<string, () => string | null>> = {
  portkey: installPortkey,
  litellm: installLitellm,
  bifrost: installBifrost,
}

/**
 * Installs what the bench needs and is missing.
 * @param names servers that are to be measured
 * @returns why those could not be installed that are missing
 * @throws Error naming the programs to install by hand
 */
export function installMissing(names: readonly string[]): ReadonlyMap<string, string> {
  const missing = Object.keys(PACKAGES).filter((program) => !hasProgram(program))
  if (missing.length > 0) installPackages(missing.map((program) => PACKAGES[program] ?? program))
  return new Map(
    names.flatMap((name) => {
      const problem = PEERS[name]?.() ?? null
      return problem === null ? [] : [[name, problem] as const]
    }),
  )
}

const hasProgram = (name: string): boolean => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0

function installPackages(names: readonly string[]): void {
  const byHand = `the bench needs ${names.join(' ')}; as root on Debian: apt-get install ${names.join(' ')}`
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) throw new Error(byHand)
  console.error(`bench: installing ${names.join(' ')}`)
  for (const args of [
    ['update', '-q'],
    ['install', '-q', '-y', '--no-install-recommends', ...names],
  ]) {
    if (run('apt-get', args) !== null) throw new Error(byHand)
  }
}

function installPortkey(): string | null {
  const installed = join(peers, 'node_modules/.installed-lock')
  return whenChanged(join(peers, 'package-lock.json'), installed, () =>
    run('npm', ['ci', '--prefix', peers, '--ignore-scripts', '--loglevel=error']),
  )
}

function installLitellm(): string | null {
  const lock = join(peers, 'litellm.txt')
  return whenChanged(lock, join(LITELLM_FOLDER, 'installed.txt'), () => {
    rmSync(LITELLM_FOLDER, { recursive: true, force: true })
    const pip = join(LITELLM_FOLDER, 'bin/pip')
    return (
      run('python3', ['-m', 'venv', LITELLM_FOLDER]) ??
      run(pip, ['install', '--quiet', '--disable-pip-version-check', '--requirement', lock])
    )
  })
}

/** Its package on npm fetches a program from its maker's site; this is the same program, built from its source. */
function installBifrost(): string | null {
  if (existsSync(BIFROST)) return null
  if (!hasProgram('go')) return 'there is no go to build it with'
  console.error('bench: building bifrost')
  const program = `github.com/maximhq/bifrost/transports/bifrost-http@${BIFROST_VERSION}`
  return run('go', ['install', program], { GOBIN: BIFROST_FOLDER })
}

/** Installs again when the lock has changed. @param installed a copy of the lock that was installed */
function whenChanged(lock: string, installed: string, install: () => string | null): string | null {
  if (existsSync(installed) && readFileSync(installed).equals(readFileSync(lock))) return null
  console.error(`bench: installing what ${lock} lists`)
  const problem = install()
  if (problem === null) cpSync(lock, installed)
  return problem
}

/** @returns the last line that it printed when it failed */
function run(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string | null {
  const { status, error, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  })
  if (status === 0) return null
  const last = error?.message ?? stderr.trim().split('\n').at(-1)?.trim() ?? ''
  return `${command} ${args[0]} failed: ${last.replace(/\.$/, '')}`
}
