import { spawn } from 'node:child_process'
import {
  closeSync,
  constants,
  fchmodSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { HostError } from './problem.ts'

export type Lock = { release(): Promise<void> }

/**
 * Keeps others from working on the same host until it is released. The kernel releases it when this process dies,
 * however that happens. Only root can open the file, so no other account can hold it.
 * @param waitMs how long to wait for another one, at most; 0 refuses at once
 * @throws HostError BUSY saying who holds it, NO_PROGRAM
 */
export async function takeLock(file: string, holder: string, waitMs: number): Promise<Lock> {
  mkdirSync(dirname(file), { recursive: true })
  const { O_CREAT, O_NOFOLLOW, O_RDWR } = constants
  const descriptor = openSync(file, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600)
  fchmodSync(descriptor, 0o600) // one of an older version was open to readers, who may hold a lock, too
  let isHeld = false
  try {
    isHeld = await lock(descriptor, waitMs)
  } finally {
    if (!isHeld) closeSync(descriptor)
  }
  if (!isHeld) {
    const hint = 'wait for it with --wait SECONDS; nothing was changed'
    throw new HostError({ code: 'BUSY', message: `another program is working on this host: ${holderOf(file)}`, hint })
  }
  ftruncateSync(descriptor)
  writeSync(descriptor, `${process.pid} ${holder}\n`)
  return { release: async () => closeSync(descriptor) }
}

/** flock(1) locks the file that is open here, which stays locked until it is closed here. @throws HostError NO_PROGRAM */
async function lock(descriptor: number, waitMs: number): Promise<boolean> {
  const patience = waitMs > 0 ? ['--timeout', String(Math.ceil(waitMs / 1000))] : ['--nonblock']
  const child = spawn('flock', ['--exclusive', ...patience, '3'], {
    stdio: ['ignore', 'ignore', 'inherit', descriptor],
  })
  return await new Promise((resolve, reject) => {
    child.on('close', (code) => resolve(code === 0))
    child.on('error', ({ message }) => {
      const hint = 'install util-linux, which has it'
      reject(new HostError({ code: 'NO_PROGRAM', message: `flock cannot be started: ${message}`, hint }))
    })
  })
}

/** Who the kernel says holds it; what a holder wrote about itself counts only for itself. */
function holderOf(file: string): string {
  try {
    const [, pid, said] = /^(\d+) (.*)/.exec(readFileSync(file, 'utf8')) ?? []
    const holder = lockingProcess(file)
    if (holder === undefined) return 'unknown'
    if (holder === pid && said !== undefined) return said
    const command = readFileSync(`/proc/${holder}/comm`, 'utf8').trim()
    return `${command}, process ${holder} of user ${statSync(`/proc/${holder}`).uid}`
  } catch {
    return 'unknown'
  }
}

/** @see proc_pid_fdinfo(5): each lock that was taken by an open file, one line */
function lockingProcess(file: string): string | undefined {
  const { dev, ino } = statSync(file)
  const holds = (descriptor: string, info: string): boolean => {
    const open = statSync(descriptor)
    return open.dev === dev && open.ino === ino && /^lock:\s.*\bFLOCK\b.*\bWRITE\b/m.test(readFileSync(info, 'utf8'))
  }
  return readdirSync('/proc').find(
    (pid) =>
      /^\d+$/.test(pid) &&
      ifThere(() => readdirSync(`/proc/${pid}/fd`))?.some((number) =>
        ifThere(() => holds(`/proc/${pid}/fd/${number}`, `/proc/${pid}/fdinfo/${number}`)),
      ),
  )
}

/** @returns undefined where something has ended meanwhile, a process or one of its files, or is not ours to see */
function ifThere<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch {
    return undefined
  }
}
