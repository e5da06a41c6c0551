import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeCgroup, removeCgroup, removeStaleCgroups } from './cgroup.ts'
import { cacheDir, prepareRootfs } from './rootfs.ts'

/** Ways to run programs inside, as root or as whoever it was made for. */
export type Inside = {
  /** Runs a program inside. Does not throw when it fails. */
  exec(command: readonly string[], options?: ExecOptions): Promise<ExecResult>
  /** Runs a program inside. @returns its output @throws Error when it fails, with what it wrote */
  run(command: readonly string[], options?: ExecOptions): Promise<string>
  /** Starts a program inside and leaves it running; it ends with the lab. */
  start(command: readonly string[]): ChildProcess
}

/**
 * A lab: Debian 13 with systemd as PID 1, in namespaces of this machine. No network but its own loopback,
 * no cgroup controllers (memory and task limits do nothing), a throw-away file system.
 */
export type Lab = Inside & {
  /** The same as a user whose manager runs: in its home, with its bus, its XDG_RUNTIME_DIR and its XDG_CONFIG_HOME. */
  asUser(user: string): Inside
  /** Where a path of the lab is found from here, for reading and writing files. It changes with a reboot. */
  path(inside: string): string
  /**
   * Boots it again on the same file system, without /run and /tmp.
   * @param how `orderly` is `systemctl reboot`, `power cut` kills everything at once
   */
  reboot(how?: 'orderly' | 'power cut'): Promise<void>
  /** Stops everything in it and removes every trace. */
  down(): Promise<void>
}

export type ExecOptions = {
  readonly user?: string
  readonly input?: string
  readonly timeoutMs?: number
}

export type ExecResult = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

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
  await removeStaleCgroups()
  const cgroup = makeCgroup(name)
  const mount = join(cacheDir, 'mnt')
  mkdirSync(mount, { recursive: true })
  const script = join(import.meta.dirname, 'boot.sh')
  const lower = [...layers, rootfs.dir].join(':')
  const apart = ['--pdeathsig', 'KILL', 'unshare', '--mount', '--propagation', 'private']
  const hold = ['/bin/sh', script, 'hold', cgroup, name, lower, mount]
  const holder = spawn('setpriv', [...apart, ...hold], { stdio: ['ignore', 'ignore', 'pipe'] })
  const machine: Machine = { holder, exited: once(holder, 'close'), cgroup, bootLog: '', guests: new Set() }
  holder.stderr.on('data', (chunk: Buffer) => {
    machine.bootLog += chunk.toString()
  })
  const lab = openLab(machine)
  try {
    await waitUntilUp(machine, lab)
    return lab
  } catch (error) {
    await lab.down()
    throw error
  }
}

type Machine = {
  /** Keeps the disk and boots the machine, also again. */
  readonly holder: ChildProcess
  readonly exited: Promise<unknown>
  readonly cgroup: string
  bootLog: string
  /** What was started from here and runs. */
  readonly guests: Set<ChildProcess>
}

async function waitUntilUp(machine: Machine, lab: Inside, before?: number): Promise<void> {
  const deadlineMs = performance.now() + BOOT_DEADLINE_MS
  let state = 'not started'
  while (performance.now() < deadlineMs && machine.holder.exitCode === null) {
    const init = initOf(machine.holder)
    if (init !== undefined && init !== before) {
      const result = await lab.exec(['systemctl', 'is-system-running', '--wait'])
      state = result.stdout.trim() || result.stderr.trim()
      if (state === 'running') return
      if (state === 'degraded') break
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const failed = await lab.exec(['systemctl', '--failed', '--no-legend', '--plain'])
  throw new Error(`the lab did not boot: ${state}\n${failed.stdout}${machine.bootLog}`)
}

function openLab(machine: Machine): Lab {
  const inside = insideAs(machine, [])
  return {
    ...inside,
    asUser: (user) => insideAs(machine, ['sh', '-c', AS_USER, 'sh', user]),
    path: (path) => `/proc/${runningInit(machine)}/root${path}`,
    async reboot(how = 'orderly') {
      const before = runningInit(machine)
      // systemd is not the parent of these: it would not hear of their end, and wait for it
      for (const guest of machine.guests) {
        killChildOf(guest)
        guest.kill('SIGKILL')
      }
      if (how === 'orderly') await inside.exec(['systemctl', 'reboot'])
      else killChildOf(machine.holder) // it takes the machine with it
      await waitUntilUp(machine, inside, before)
    },
    async down() {
      machine.holder.kill('SIGKILL') // its child, the lab's PID 1, dies with it, and with that every process inside
      await machine.exited
      await removeCgroup(machine.cgroup)
    },
  }
}

/** What a session of this user has, without a login. */
const AS_USER = `set -eu
user=$1; shift; id=$(id -u "$user"); home=$(getent passwd "$user" | cut -d: -f6); cd "$home"
exec runuser -u "$user" -- env HOME="$home" USER="$user" LOGNAME="$user" XDG_RUNTIME_DIR="/run/user/$id" \
  XDG_CONFIG_HOME="$home/.config" DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$id/bus" "$@"`

function insideAs(machine: Machine, prefix: readonly string[]): Inside {
  const start = (command: readonly string[], user?: string) => {
    const { file, args } = enter(runningInit(machine), [...prefix, ...command], user)
    const guest = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    machine.guests.add(guest)
    guest.on('exit', () => machine.guests.delete(guest))
    return guest
  }
  const exec: Inside['exec'] = async (command, options = {}) => {
    let child: ChildProcess
    try {
      child = start(command, options.user)
    } catch (error) {
      return { code: null, stdout: '', stderr: error instanceof Error ? error.message : String(error) }
    }
    return collect(child, options)
  }
  return {
    exec,
    start: (command) => start(command),
    async run(command, options) {
      const { code, stdout, stderr } = await exec(command, options)
      if (code !== 0) throw new Error(`${command.join(' ')}: exit code ${code}\n${stdout}${stderr}`)
      return stdout
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
  // a chunk may end within a character
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream]?.setEncoding('utf8').on('data', (chunk: string) => {
      text[stream] += chunk
    })
  child.stdin?.on('error', () => {}) // a program that does not read its input
  child.stdin?.end(options.input ?? '')
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  return { code, ...text }
}

function runningInit({ holder }: Machine): number {
  const pid = initOf(holder)
  if (pid === undefined) throw new Error('the lab is not running')
  return pid
}

/** PID, seen from here, of the systemd that runs the lab; undefined while none does. */
function initOf(holder: ChildProcess): number | undefined {
  try {
    // the holder waits for `unshare`, and that for the first process of the machine
    const init = childOf(childOf(holder.pid))
    // before that it is the shell of boot.sh, which can still see this machine's files
    return readFileSync(`/proc/${init}/comm`, 'utf8') === 'systemd\n' ? init : undefined
  } catch {
    return undefined
  }
}

function killChildOf(parent: ChildProcess): void {
  const child = childOf(parent.pid)
  if (child !== undefined) process.kill(child, 'SIGKILL')
}

function childOf(pid: number | undefined): number | undefined {
  const file = `/proc/${pid}/task/${pid}/children`
  const children = existsSync(file) ? readFileSync(file, 'utf8') : ''
  return children === '' ? undefined : Number(children.split(' ')[0])
}
