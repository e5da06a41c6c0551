import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { setPriority } from 'node:os'
import { join } from 'node:path'

/** The server under test has this core for itself. */
export const SERVER_CORE = 0
/** The mock upstream and the load clients share this one. */
export const LOAD_CORE = 1

/** What to run: `name` names its log file in `directory`; `env` is added to PATH and HOME. */
export type Command = {
  readonly name: string
  readonly core: number
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly directory: string
}

/** A running child. `usage` sums its process tree; disposing ends the tree. */
export type Child = AsyncDisposable & {
  readonly name: string
  readonly startedMs: number
  readonly usage: () => Usage
  readonly signal: (name: NodeJS.Signals) => void
  /** @throws Error with the end of its log when it is not running any more */
  readonly assertRunning: () => void
}
/** Sums over all threads. `waitedMs`: they were ready to run and had to wait for a core, which others used. */
export type Usage = { readonly cpuMs: number; readonly waitedMs: number; readonly rssBytes: number }

const STOP_MS = 5_000

/** Starts a long-running child on one core, its output in `<directory>/<name>.log`. */
export function startChild({ name, core, argv, env, directory }: Command): Child {
  const logPath = join(directory, `${name}.log`)
  const log = openSync(logPath, 'a')
  const child = spawn('taskset', ['-c', String(core), ...argv], {
    stdio: ['ignore', log, log],
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
  })
  closeSync(log)
  const { pid } = child
  if (pid === undefined) throw new Error(`${name}: taskset could not be started; install util-linux`)
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()).on('error', () => resolve()))
  return {
    name,
    startedMs: performance.now(),
    usage: () => treeUsage(pid),
    signal: (name) => void child.kill(name),
    assertRunning() {
      if (child.exitCode === null && child.signalCode === null) return
      throw new Error(
        `${name} ended (${child.exitCode ?? child.signalCode}):\n${readFileSync(logPath, 'utf8').slice(-2_000)}`,
      )
    },
    async [Symbol.asyncDispose]() {
      const tree = descendants(pid)
      child.kill('SIGTERM')
      const deadline = setTimeout(() => tree.forEach(killNow), STOP_MS)
      await ended
      clearTimeout(deadline)
    },
  }
}

/**
 * Runs one load client on its core until it ends. @returns its standard output  @throws Error when it fails or is late
 */
export async function runClient(
  argv: readonly string[],
  options: { readonly lateMs: number; readonly signal: AbortSignal },
): Promise<string> {
  const child = spawn('taskset', ['-c', String(LOAD_CORE), ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.any([options.signal, AbortSignal.timeout(options.lateMs)]),
    killSignal: 'SIGKILL',
  })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const code = await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject))
  if (code !== 0) throw new Error(`${argv.slice(0, 2).join(' ')} failed (${code}): ${errors.slice(-2_000)}`)
  return output
}

/** Time a core has spent on user and kernel work of all processes, without interrupts. */
export function coreBusyMs(core: number): number {
  const line = new RegExp(`^cpu${core} (\\d+) (\\d+) (\\d+) `, 'm').exec(readFileSync('/proc/stat', 'utf8')) ?? []
  return line.slice(1).reduce((sum, ticks) => sum + Number(ticks) * TICK_MS, 0)
}

/** Moves this process off the server's core; all its children inherit the niceness. @returns undoes the latter */
export function takeCores(niceness: number): Disposable {
  const { status } = spawnSync('taskset', ['-a', '-c', '-p', String(LOAD_CORE), String(process.pid)])
  if (status !== 0) throw new Error('the bench needs two cores, 0 and 1: one for the server, one for the load')
  if (niceness !== 0) setNiceness(niceness)
  return { [Symbol.dispose]: () => (niceness === 0 ? undefined : setNiceness(0)) }
}

function setNiceness(niceness: number): void {
  setPriority(niceness)
  // Where sessions are scheduled as groups, a process's niceness counts inside its session only: sched(7).
  if (existsSync('/proc/self/autogroup')) writeFileSync('/proc/self/autogroup', String(niceness))
}

/** A loopback port that was free a moment ago, for servers that cannot tell which one they took. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

// USER_HZ, the unit of times in /proc/stat, is 100 on every Linux: proc(5).
const TICK_MS = 10

function treeUsage(root: number): Usage {
  const sum = { cpuMs: 0, waitedMs: 0, rssBytes: 0 }
  for (const pid of descendants(root)) {
    sum.rssBytes += Number(/^VmRSS:\s+(\d+)/m.exec(readProc(pid, 'status'))?.[1] ?? 0) * 1_024
    for (const thread of threadsOf(pid)) {
      const { cpuMs, waitedMs } = parseSchedstat(readProc(pid, `task/${thread}/schedstat`))
      sum.cpuMs += cpuMs
      sum.waitedMs += waitedMs
    }
  }
  return sum
}

/** Reads /proc/<pid>/schedstat: nanoseconds on a core, nanoseconds ready but waiting for one, turns. */
export function parseSchedstat(text: string): { readonly cpuMs: number; readonly waitedMs: number } {
  const [ran = 0, waited = 0] = text.trim().split(' ').map(Number)
  return { cpuMs: ran / 1e6, waitedMs: waited / 1e6 }
}

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return [] // it has just ended
  }
}

/** The process and all below it. */
function descendants(root: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), parent: Number(statFields(Number(name))[1]) }))
  const tree = [root]
  for (const pid of tree) tree.push(...parents.filter(({ parent }) => parent === pid).map((child) => child.pid))
  return tree
}

/** Fields of /proc/<pid>/stat after the command's name, which may contain spaces: state, ppid, ... */
function statFields(pid: number): string[] {
  const text = readProc(pid, 'stat')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return '' // it has just ended
  }
}
