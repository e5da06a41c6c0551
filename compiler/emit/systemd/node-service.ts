import type { Layout } from '../../../schemas/deploy/layout.ts'
import type { SpecPath } from '../../../schemas/spec/path.ts'
import { command, type Entry, literal, valueText } from '../../../syntax/unit/print.ts'
import { entries } from './hardening.ts'

/** The first systemd with Type=notify-reload and OpenFile=. */
export const NOTIFY_RELOAD_SINCE = 253
/** The first systemd with RestartSteps=. */
const RESTART_STEPS_SINCE = 254

/**
 * How systemd and Gate's programs talk: readiness, reload, watchdog, restarts.
 * @param program which of the programs
 * @param systemd major version; an older one gets the same in its own words
 */
export function nodeServiceEntries(
  program: 'daemon' | 'relay',
  args: readonly string[],
  systemd: number,
  { programs }: Layout,
): Entry[] {
  return [
    ...notifyEntries(systemd, programs.kill),
    { key: 'ExecStart', value: command(programs.node, programs[program], ...args) },
    { key: 'WatchdogSec', value: literal('30s') },
    {
      key: 'TimeoutStopSec',
      value: literal('45s'),
      comment: 'longer than server.drain_timeout (30 s); the program asks for more when that is set higher',
    },
    { key: 'KillMode', value: literal('mixed') },
    ...restartEntries(systemd),
  ]
}

function notifyEntries(systemd: number, kill: string): Entry[] {
  if (systemd < NOTIFY_RELOAD_SINCE) {
    return [
      ...entries({ Type: 'notify' }),
      { key: 'NotifyAccess', value: literal('all'), comment: 'messages come from systemd-notify, a child' },
      { key: 'ExecReload', value: literal(`${valueText(command(kill))} -HUP $MAINPID`) },
    ]
  }
  return [
    ...entries({ Type: 'notify-reload' }),
    {
      key: 'OpenFile',
      value: literal('/run/systemd/notify:notify'),
      comment: "the connected socket that the program's messages to systemd go through; see docs/decisions.md",
    },
    ...entries({ NotifyAccess: 'main' }),
  ]
}

function restartEntries(systemd: number): Entry[] {
  if (systemd < RESTART_STEPS_SINCE) return entries({ Restart: 'on-failure', RestartSec: '1s' })
  return [
    ...entries({ Restart: 'on-failure', RestartSec: '100ms', RestartSteps: '5' }),
    {
      key: 'RestartMaxDelaySec',
      value: literal('5s'),
      comment:
        'systemd counts every restart since the last start by hand: this is also the wait after a crash once in a while',
    },
  ]
}

/** What the service may use in all; above seven eighths the kernel reclaims and slows it down before it ends it. */
export function memoryEntries(bytes: number, origin?: SpecPath): Entry[] {
  const from = origin === undefined ? {} : { origin }
  return [
    { key: 'MemoryHigh', value: literal(String(bytes - Math.floor(bytes / 8))), ...from },
    { key: 'MemoryMax', value: literal(String(bytes)), ...from },
  ]
}
