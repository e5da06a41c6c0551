import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDir, cgroupRoot, prepareRootfs } from './rootfs.ts'

/**
 * A lab: Debian 13 with systemd as PID 1, in namespaces of this machine. No network but its own loopback,
 * no cgroup controllers (memory and task limits do nothing), a throw-away file system.
 */
export type Lab = {
  /** Runs a program inside. Does not throw when it fails. */
  exec(command: readonly string[], options?: ExecOptions): Promise<ExecResult>
  /** Runs a program inside. @returns its output @throws Error when it fails, with what it wrote */
  run(command: readonly string[], options?: ExecOptions): Promise<string>
  /** Starts a program inside and leaves it running; it ends with the lab. */
  start(command: readonly string[]): ChildProcess
  /** Where a path of the lab is found from here, for reading and writing files. */
  path(inside: string): string
  /** Stops everything in it and removes every trace. */
  down(): Promise<void>
}

export type ExecOptions = {
  readonly user?: string
  readonly input?: string
  readonly timeoutMs?: number
}

export type ExecResult = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

/** Prefix of the cgroups of labs; the rest names the owner, so that a lab of a dead owner can be recognised. */
const PREFIX = 'gate-testlab-'
const BOOT_DEADLINE_MS = 30_000
const EXEC_DEADLINE_MS = 30_000

/**
 * Boots a lab.
 * @param layers directories laid over Debian's files, topmost first
 * @throws Error when it does not come up, with the failed units
 */
export async function bootLab(name: string, layers: readonly string[] = []): Promise<Lab> {
  const rootfs = await prepareRootfs()
  if (rootfs.kind !== 'ready') throw new Error(`no lab here: ${rootfs.reason}`)
  await removeStaleLabs()
  const cgroup = join(cgroupHome(), `${PREFIX}${process.pid}-${startTime(process.pid)}-${name}`)
  const mount = join(cacheDir, 'mnt')
  mkdirSync(cgroup)
  mkdirSync(mount, { recursive: true })
  const script = join(import.meta.dirname, 'boot.sh')
  const lower = [...layers, rootfs.dir].join(':')
  const outer = spawn('/bin/sh', [script, 'outer', cgroup, name, lower, mount], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exited = once(outer, 'close')
  let bootLog = ''
  outer.stderr.on('data', (chunk: Buffer) => {
    bootLog += chunk.toString()
  })
  const lab = openLab(outer, exited, cgroup)
  try {
    await waitUntilUp(lab, outer, () => bootLog)
    return lab
  } catch (error) {
    await lab.down()
    throw error
  }
}

async function waitUntilUp(lab: Lab, outer: ChildProcess, bootLog: () => string): Promise<void> {
  const deadlineMs = performance.now() + BOOT_DEADLINE_MS
  let state = 'not started'
  while (performance.now() < deadlineMs && outer.exitCode === null) {
    const result = await lab.exec(['systemctl', 'is-system-running', '--wait'])
    state = result.stdout.trim() || result.stderr.trim()
    if (state === 'running') return
    if (state === 'degraded') break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const failed = await lab.exec(['systemctl', '--failed', '--no-legend', '--plain'])
  throw new Error(`the lab did not boot: ${state}\n${failed.stdout}${bootLog()}`)
}

function openLab(outer: ChildProcess, exited: Promise<unknown>, cgroup: string): Lab {
  const init = () => {
    const pid = initOf(outer.pid ?? 0)
    if (pid === undefined) throw new Error('the lab is not running')
    return pid
  }
  const start = (command: readonly string[], user?: string) => {
    const { file, args } = enter(init(), command, user)
    return spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  }
  const exec: Lab['exec'] = async (command, options = {}) => {
    if (initOf(outer.pid ?? 0) === undefined) return { code: null, stdout: '', stderr: 'the lab is not running' }
    return collect(start(command, options.user), options)
  }
  return {
    exec,
    start: (command) => start(command),
    path: (inside) => `/proc/${init()}/root${inside}`,
    async run(command, options) {
      const { code, stdout, stderr } = await exec(command, options)
      if (code !== 0) throw new Error(`${command.join(' ')}: exit code ${code}\n${stdout}${stderr}`)
      return stdout
    },
    async down() {
      outer.kill('SIGKILL') // its child, the lab's PID 1, dies with it, and with that every process inside
      await exited
      await removeCgroup(cgroup)
    },
  }
}

/** The command line that runs `command` inside, with a clean environment. */
function enter(init: number, command: readonly string[], user?: string) {
  const as = user === undefined ? [] : ['runuser', '-u', user, '--']
  const clean = ['env', '-i', 'HOME=/', 'LANG=C.UTF-8', 'PATH=/usr/sbin:/usr/bin']
  const inside = [...clean, ...as, ...command]
  return { file: 'nsenter', args: [`--target=${init}`, '-m', '-p', '-n', '-u', '-i', '-C', '--', ...inside] }
}

async function collect(child: ChildProcess, options: ExecOptions): Promise<ExecResult> {
  const timer = setTimeout(() => {
    child.kill('SIGKILL')
    // what runs inside may go on and hold these open; it ends with the lab
    for (const stream of [child.stdout, child.stderr]) stream?.destroy()
  }, options.timeoutMs ?? EXEC_DEADLINE_MS)
  const text = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream]?.on('data', (chunk: Buffer) => {
      text[stream] += chunk.toString()
    })
  child.stdin?.on('error', () => {}) // a program that does not read its input
  child.stdin?.end(options.input ?? '')
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  return { code, ...text }
}

/** PID, seen from here, of the systemd that runs the lab whose `unshare` is `outer`; undefined before it is there. */
function initOf(outer: number): number | undefined {
  try {
    const child = Number(readFileSync(`/proc/${outer}/task/${outer}/children`, 'utf8').split(' ')[0])
    // before that it is the shell of boot.sh, which can still see this machine's files
    return readFileSync(`/proc/${child}/comm`, 'utf8') === 'systemd\n' ? child : undefined
  } catch {
    return undefined
  }
}

function cgroupHome(): string {
  const root = cgroupRoot()
  if (root === undefined) throw new Error('no cgroup 2 file system')
  return root
}

/**
 * Start time of a living process in clock ticks since boot; with the pid it names a process for good.
 * @see proc_pid_stat(5): after the name in parentheses come the state (field 3) and, in time, starttime (field 22)
 */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

// A test run that was killed takes its labs' processes with it (pdeathsig in boot.sh) but leaves their cgroups.
async function removeStaleLabs(): Promise<void> {
  for (const entry of readdirSync(cgroupHome())) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-(\\d+)-`).exec(entry)
    if (owner === null || startTime(Number(owner[1])) === owner[2]) continue
    await removeCgroup(join(cgroupHome(), entry))
  }
}

async function removeCgroup(cgroup: string): Promise<void> {
  for (let tries = 0; tries < 100 && !tryRemoveTree(cgroup); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 20)) // the kernel is still burying the processes
  }
}

/** Removes a cgroup and those below it; their files go with them. @returns whether it is gone */
function tryRemoveTree(cgroup: string): boolean {
  if (!existsSync(cgroup)) return true
  const below = readdirSync(cgroup, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  for (const entry of below) tryRemoveTree(join(cgroup, entry.name))
  try {
    rmdirSync(cgroup)
    return true
  } catch {
    return false
  }
}
