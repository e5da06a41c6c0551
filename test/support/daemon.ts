import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inNetns } from './netns.ts'

const root = join(import.meta.dirname, '../..')
/** Types are stripped once, not at each of some hundred starts. */
export const COMPILE_CACHE = join(root, '.cache/compiled')

/** A gate-daemon process of its own. */
export type Daemon = {
  readonly url: string
  /** The key that it printed; empty when it printed none. */
  readonly key: string
  readonly stateDirectory: string
  readonly process: ChildProcess
  /** Everything it has written so far. */
  readonly output: () => string
  /** SIGTERM. @returns the exit code */
  readonly stop: () => Promise<number | null>
  /** kill -9; the state directory stays. */
  readonly kill: () => Promise<void>
  /** Removes the state directory; call after stop or kill. */
  readonly remove: () => void
}

/**
 * Starts the real daemon on a free loopback port and waits until it says that it listens.
 * @param descriptors how many files and connections it may have open
 * @param netns network namespace that it runs in
 * @param proxySocket Unix socket that it is passed beside a TCP one, as the unit of a host with a proxy does
 * @param env its environment; an empty value leaves out what is set otherwise, such as GATE_SERVER__PORT
 * @throws Error with its output
 */
export async function startDaemon(
  env: Readonly<Record<string, string>> = {},
  stateDirectory = mkdtempSync(join(tmpdir(), 'gate-test-')),
  descriptors?: number,
  proxySocket?: string,
  workingDirectory?: string,
  netns?: string,
): Promise<Daemon> {
  const child = spawnDaemon(env, stateDirectory, [], descriptors, proxySocket, workingDirectory, netns)
  const output = collect(child)
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  const listening = /Gate listens on (\S+)|"message":"listening","url":"([^"]+)"/
  const started = env['JOURNAL_STREAM'] === undefined ? /token by token\.|It is closed:/ : /"message":"ready"/
  await until(() => started.test(output()) || child.exitCode !== null, 20_000).catch((error: unknown) => {
    child.kill('SIGKILL') // who waits for it in vain has nothing to stop it with
    throw error
  })
  const found = listening.exec(output())
  const url = found?.[1] ?? found?.[2]
  if (url === undefined) throw new Error(`gate-daemon did not start (exit ${child.exitCode}):\n${output()}`)
  return {
    url,
    key: env['GATE_AUTH__TOKEN'] ?? /gate_[\w-]{43}/.exec(output())?.[0] ?? '',
    stateDirectory,
    process: child,
    output,
    stop: () => {
      child.kill('SIGTERM')
      return exited
    },
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
    remove: () => rmSync(stateDirectory, { recursive: true, force: true }),
  }
}

/** Runs the daemon until it exits by itself, for starts that must fail. */
export async function runDaemonToEnd(
  env: Readonly<Record<string, string>>,
  stateDirectory: string,
  args: readonly string[] = [],
) {
  const child = spawnDaemon(env, stateDirectory, args)
  const output = collect(child)
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { code, output: output() }
}

function spawnDaemon(
  env: Readonly<Record<string, string>>,
  stateDirectory: string,
  args: readonly string[] = [],
  descriptors?: number,
  proxySocket?: string,
  workingDirectory?: string,
  netns?: string,
) {
  const command = [join(root, 'bin/gate-daemon.ts'), '--declared', join(stateDirectory, 'declared.json'), ...args]
  const limited = ['-c', `ulimit -n ${descriptors} && exec "$0" "$@"`, process.execPath]
  const activated = ['-c', ACTIVATE, proxySocket ?? '', process.execPath]
  const plain = netns === undefined ? ([process.execPath, []] as const) : inNetns(netns, process.execPath)
  const [program, before] =
    proxySocket !== undefined ? ['python3', activated] : descriptors === undefined ? plain : ['sh', limited]
  return spawn(program, [...before, ...command], {
    env: withoutEmpty({
      PATH: process.env['PATH'] ?? '',
      HOME: stateDirectory,
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      STATE_DIRECTORY: stateDirectory,
      GATE_SERVER__PORT: '0',
      GATE_DISCOVERY__ENABLED: 'false',
      ...env,
    }),
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: workingDirectory,
  })
}

/** As systemd does for a socket unit with two addresses. */
const ACTIVATE = `
import fcntl, os, socket, sys
tcp = socket.socket()
tcp.bind(('127.0.0.1', 0))
unix = socket.socket(socket.AF_UNIX)
unix.bind(sys.argv[1])
for each in [tcp, unix]:
    each.listen()
high = [fcntl.fcntl(each.fileno(), fcntl.F_DUPFD, 10) for each in [tcp, unix]]
os.dup2(high[0], 3)
os.dup2(high[1], 4)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2', LISTEN_FDNAMES='gateway:gateway')
os.execv(sys.argv[2], sys.argv[2:])
`

function withoutEmpty(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
}

function collect(child: ChildProcess): () => string {
  let text = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  return () => text
}

/** Waits until something is true, looking every 10 ms. @throws Error after `deadlineMs` */
export async function until(holds: () => boolean | Promise<boolean>, deadlineMs = 10_000): Promise<void> {
  const end = performance.now() + deadlineMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`still not so after ${deadlineMs} ms: ${holds}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
