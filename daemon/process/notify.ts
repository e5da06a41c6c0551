import { write } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { promisify } from 'node:util'
import type { Log } from '../../schemas/words/log.ts'
import { runToEnd } from '../../system/program.ts'

/** Assignments of one sd_notify message. @see https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html */
export type NotifyMessage = {
  readonly READY?: 1
  /** MONOTONIC_USEC, which `Type=notify-reload` needs beside it, is added when the message is sent. */
  readonly RELOADING?: 1
  readonly STOPPING?: 1
  readonly WATCHDOG?: 1
  /** One line for `systemctl status`; newlines become spaces. */
  readonly STATUS?: string
  /** Time from now that systemd must leave for the running start or stop, microseconds. */
  readonly EXTEND_TIMEOUT_USEC?: number
}

/** Tells systemd, in the order called. Never rejects; does nothing when no service manager listens. */
export type Notify = (message: NotifyMessage) => Promise<void>

type NotifyOptions = {
  /** Emptied of NOTIFY_SOCKET, so that children do not speak for the daemon. */
  readonly env: NodeJS.ProcessEnv
  /**
   * Connected datagram socket (`OpenFile=/run/systemd/notify:notify`); without it the program systemd-notify is run.
   */
  readonly fd: number | undefined
  readonly log: Log
}

/** Longest run of one `systemd-notify`. */
const PROGRAM_DEADLINE_MS = 5_000

/** Opens the way to systemd, if there is one. A failure is logged once and is never fatal. */
export function openNotify({ env, fd, log }: NotifyOptions): Notify {
  const { NOTIFY_SOCKET: socket } = env
  unset(env, ['NOTIFY_SOCKET'])
  if (socket === undefined || socket === '') return async () => {}
  const send = fd === undefined ? programSender({ ...env, NOTIFY_SOCKET: socket }) : fdSender(fd)
  let failed = false
  let last: Promise<void> = Promise.resolve()
  return (message) => {
    last = last
      .then(() => send(notifyLines(message, process.hrtime.bigint() / 1_000n)))
      .catch((error: Error) => {
        if (!failed) log('warn', 'systemd cannot be notified', { error: error.message })
        failed = true
      })
    return last
  }
}

/** @param monotonicUsec CLOCK_MONOTONIC in microseconds */
export function notifyLines(message: NotifyMessage, monotonicUsec: bigint): string[] {
  const lines = Object.entries(message).map(([name, value]) => `${name}=${String(value).replace(/[\r\n]+/g, ' ')}`)
  return message.RELOADING === undefined ? lines : [...lines, `MONOTONIC_USEC=${monotonicUsec}`]
}

type Send = (lines: readonly string[]) => Promise<void>

// A connected datagram socket takes one message per write(2). It can block, so the thread pool does it.
function fdSender(fd: number): Send {
  const writeText = promisify(write) as (fd: number, text: string) => Promise<unknown>
  return async (lines) => void (await writeText(fd, lines.join('\n')))
}

// Node has no AF_UNIX datagrams. The message comes from another process: the unit needs NotifyAccess=all.
function programSender(env: NodeJS.ProcessEnv): Send {
  return async (lines) => {
    const options = { env, stdoutMaxBytes: 0, stderrMaxBytes: 0, timeoutMs: PROGRAM_DEADLINE_MS, graceMs: 0 }
    const ended = await runToEnd(['systemd-notify', ...lines], options)
    if (ended.kind === 'not-started') throw ended.cause
    if (ended.kind === 'cut-off') throw new Error('systemd-notify did not end')
    if (ended.code !== 0) throw new Error(`systemd-notify exited with ${ended.code}`)
  }
}

/** Middle value of the event loop's delay over one interval, above which the loop counts as wedged. */
const LOOP_DELAY_LIMIT_MS = 500
const LOOP_RESOLUTION_MS = 50

/**
 * Feeds systemd's watchdog while the event loop turns: four looks per WATCHDOG_USEC, no message after a bad one,
 * so a loop that stays slow or hangs gets the daemon killed and restarted.
 * @param env emptied of WATCHDOG_USEC and WATCHDOG_PID
 * @returns stops feeding
 */
export function startWatchdog(env: NodeJS.ProcessEnv, notify: Notify, log: Log): () => void {
  const intervalMs = watchdogIntervalMs(env, process.pid)
  unset(env, ['WATCHDOG_USEC', 'WATCHDOG_PID'])
  if (intervalMs === undefined) return () => {}
  const delay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  delay.enable()
  const timer = setInterval(() => {
    // no sample at all: the loop turned less than twice since the last look
    const delayMs = delay.count === 0 ? intervalMs : delay.percentile(50) / 1e6
    const healthy = delay.count > 0 && delayMs <= LOOP_DELAY_LIMIT_MS
    delay.reset()
    if (healthy)
      void notify({ WATCHDOG: 1 }) // never rejects
    else log('warn', 'event loop is too slow', { duration_ms: Math.round(delayMs) })
  }, intervalMs)
  timer.unref()
  return () => {
    clearInterval(timer)
    delay.disable()
  }
}

/** @returns time between two looks, or undefined when systemd does not watch the process `pid` */
export function watchdogIntervalMs(env: NodeJS.ProcessEnv, pid: number): number | undefined {
  const { WATCHDOG_USEC, WATCHDOG_PID: watched } = env
  const usec = Number(WATCHDOG_USEC)
  if (!Number.isSafeInteger(usec) || usec <= 0) return undefined
  if (watched !== undefined && watched !== String(pid)) return undefined
  return Math.max(1, Math.floor(usec / 4_000))
}

function unset(env: NodeJS.ProcessEnv, names: readonly string[]): void {
  for (const name of names) delete env[name]
}
