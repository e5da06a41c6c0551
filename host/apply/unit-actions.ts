import { setTimeout } from 'node:timers/promises'
import type { GenerationUnit } from '../../schemas/deploy/generation.ts'
import { type ShellCommand, sh } from '../../syntax/shell/print.ts'
import type { Account, Accounts } from '../accounts.ts'
import { asUser, userctl } from '../as-user.ts'
import type { Host } from '../host.ts'
import type { UnitChange } from '../plan/units.ts'
import { HostError, type HostProblem } from '../problem.ts'
import { type Ran, TIMED_OUT } from '../program.ts'

/** How long units may take, at most; each also has its own limit. */
export type UnitLimits = { readonly timeoutMs: number }

const MARGIN_MS = 5_000
/** Managers of users that are worked on at a time. */
const MANAGERS_AT_ONCE = 8
const LOG_LINES = 20
const SOCKET_TRIES = 4
const SOCKET_PAUSE_MS = 250

/**
 * Starts, restarts and reloads units in the order of the plan: those of one manager in one request, so that its own
 * ordering holds; the managers of users beside each other.
 * @throws HostError UNIT_FAILED with the last log lines of each unit that does not run
 */
export async function actOnUnits(
  host: Host,
  changes: readonly UnitChange[],
  accounts: Accounts,
  limits: UnitLimits,
): Promise<void> {
  const firstUser = changes.findIndex(({ unit }) => unit.manager !== 'system')
  const split = firstUser < 0 ? changes.length : firstUser
  const system = (part: readonly UnitChange[]) => part.filter(({ unit }) => unit.manager === 'system')
  const users = Map.groupBy(
    changes.filter(({ unit }) => unit.manager !== 'system'),
    ({ unit }) => unit.manager,
  )
  await actOnManager(host, undefined, system(changes.slice(0, split)), limits)
  const problems: HostProblem[] = []
  await inParallel([...users], MANAGERS_AT_ONCE, async ([name, part]) => {
    const account = accounts.users.get(name)
    if (account === undefined) throw new Error(`no account ${name}`)
    try {
      await actOnManager(host, account, part, limits)
    } catch (error) {
      if (!(error instanceof HostError)) throw error
      problems.push(...error.problems)
    }
  })
  const [first, ...more] = problems
  if (first !== undefined) throw new HostError(first, ...more)
  await actOnManager(host, undefined, system(changes.slice(split)), limits)
}

/** @param account whose manager; undefined for that of the host */
async function actOnManager(
  host: Host,
  account: Account | undefined,
  changes: readonly UnitChange[],
  limits: UnitLimits,
): Promise<void> {
  const ctl = (...args: readonly string[]) =>
    account === undefined ? ['systemctl', ...args] : userctl(account, ...args)
  for (const { verb, command, isFor } of VERBS) {
    const units = changes
      .filter(({ action, unit }) => action === verb && (isFor === undefined || isFor(unit)))
      .map(({ unit }) => unit)
    if (units.length === 0) continue
    const names = units.map(({ name }) => name)
    // a unit that failed before may be at its limit of starts
    if (verb === 'restart' || verb === 'start') await host.run(ctl('reset-failed', ...names))
    const timeoutMs = Math.min(limits.timeoutMs, Math.max(...units.map((unit) => unit.timeoutMs)) + MARGIN_MS)
    let ran = await host.run(ctl(...command, ...names), { timeoutMs })
    for (let i = 1; ran.code !== 0 && i < SOCKET_TRIES && (verb === 'restart' || verb === 'start'); i++) {
      const closed = await closedSockets(host, ctl, names)
      if (closed.length === 0) break
      await host.run(ctl('stop', ...closed), { timeoutMs })
      await setTimeout(SOCKET_PAUSE_MS)
      await host.run(ctl('reset-failed', ...names))
      ran = await host.run(ctl('start', ...names), { timeoutMs })
    }
    if (ran.code !== 0 && verb === 'reload' && names.every((name) => RESTARTED_IF_NOT_RELOADED.has(name)))
      ran = await host.run(ctl('restart', ...names), { timeoutMs })
    if (ran.code !== 0) throw await unitFailure(host, account, units, ran, command.join(' '), timeoutMs)
  }
}

/**
 * Sockets that could not be opened, and their services. A helper that systemd forked before it closed a socket (it
 * removes PrivateTmp of the service after it) has a copy of it: the address is taken until the helper ends. Meanwhile the
 * service has started without its socket, and systemd opens none for a service that runs.
 */
async function closedSockets(
  host: Host,
  ctl: (...args: readonly string[]) => readonly string[],
  names: readonly string[],
): Promise<readonly string[]> {
  const sockets = names.filter((name) => name.endsWith('.socket'))
  if (sockets.length === 0) return []
  const { stdout } = await host.ask([...ctl('show', '--property=Id,ActiveState,Triggers', '--', ...sockets)])
  const closed = stdout.split(/\n\n+/).flatMap((block) => {
    const value = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(block)?.[1] ?? ''
    const state = value('ActiveState')
    return state === '' || state === 'active' ? [] : [value('Id'), ...value('Triggers').split(' ')]
  })
  return [...new Set(closed)].filter((name) => name !== '')
}

/**
 * `caddy reload` asks at the address in the new file; a Caddy that runs listens on that of the old one, which is another
 * one with the package's file. What it serves is Gate's alone, and its file was validated.
 */
const RESTARTED_IF_NOT_RELOADED: ReadonlySet<string> = new Set(['caddy.service'])

/**
 * The daemon requires its table, and would stop with it: the next client would start both again before the new files,
 * which have no table, are read.
 */
const isTable = ({ manager, name }: GenerationUnit) => manager === 'system' && name.endsWith('-egress.service')

type Verb = {
  readonly verb: UnitChange['action']
  /** Of systemctl(1). */
  readonly command: readonly string[]
  /** Absent: for every unit. */
  readonly isFor?: (unit: GenerationUnit) => boolean
}

/**
 * What is stopped makes room first; reloads are last, but for that of the table: a daemon that starts dials at once, such
 * as the CA that it has a certificate of.
 */
const VERBS: readonly Verb[] = [
  { verb: 'stop', command: ['stop'], isFor: (unit) => !isTable(unit) },
  { verb: 'stop', command: ['stop', '--job-mode=ignore-dependencies'], isFor: isTable },
  { verb: 'reload', command: ['reload-or-restart'], isFor: isTable },
  { verb: 'restart', command: ['restart'] },
  { verb: 'start', command: ['start'] },
  { verb: 'reload', command: ['reload-or-restart'], isFor: (unit) => !isTable(unit) },
]

/** The failure of units, with what their logs say. */
async function unitFailure(
  host: Host,
  account: Account | undefined,
  units: readonly GenerationUnit[],
  { code, stderr }: Ran,
  command: string,
  timeoutMs: number,
): Promise<HostError> {
  const ctl = account === undefined ? ['systemctl'] : userctl(account)
  const names = units.map(({ name }) => name)
  const shown = await host.ask([...ctl, 'show', '--property=Id,ActiveState,Result', '--', ...names])
  const states = shown.stdout.split(/\n\n+/).map((block) => {
    const value = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(block)?.[1] ?? ''
    return { name: value('Id'), state: value('ActiveState'), result: value('Result') }
  })
  const broken = states.filter(({ state }) => state !== 'active')
  const whose = account === undefined ? '' : ` of ${account.name}`
  const problems = await Promise.all(
    broken.map(async ({ name, state, result }): Promise<HostProblem> => {
      const isLate = result === 'timeout' || (code === TIMED_OUT && state === 'activating')
      // one that failed and is to be started again by systemd is "activating", too
      const what = isLate ? `was not ready within ${timeoutMs / 1000} s` : `failed to start (${result})`
      const lines = await logLines(host, account, name)
      return {
        code: 'UNIT_FAILED',
        message: `${name}${whose} ${what}`,
        hint: `see: ${logCommand(account, name)}`,
        lines,
      }
    }),
  )
  const [first, ...more] = problems
  if (first !== undefined) return new HostError(first, ...more)
  const message = `systemctl ${command} ${names.join(' ')}${whose} failed`
  return new HostError({ code: 'UNIT_FAILED', message, lines: stderr.trim().split('\n') })
}

async function logLines(host: Host, account: Account | undefined, unit: string): Promise<string[]> {
  const matches = account === undefined ? ['-u', unit] : userMatches(account, unit)
  const { stdout } = await host.ask([
    'journalctl',
    '--quiet',
    '--no-pager',
    '-o',
    'cat',
    '-n',
    `${LOG_LINES}`,
    ...matches,
  ])
  return stdout.trimEnd().split('\n').filter(Boolean)
}

function logCommand(account: Account | undefined, unit: string): ShellCommand {
  return sh`journalctl ${account === undefined ? ['-u', unit] : userMatches(account, unit)}`
}

/** What the unit wrote, and what its manager wrote about it. @see systemd.journal-fields(7) */
function userMatches({ uid }: Account, unit: string): string[] {
  return [`_UID=${uid}`, `_SYSTEMD_USER_UNIT=${unit}`, '+', `_UID=${uid}`, `USER_UNIT=${unit}`]
}

/** Lets the manager of the host and those of users read their units again. */
export async function reloadManagers(host: Host, users: readonly Account[]): Promise<void> {
  await must(host, ['systemctl', 'daemon-reload'])
  await inParallel(users, MANAGERS_AT_ONCE, async (account) => {
    await must(host, userctl(account, 'daemon-reload'))
  })
}

/** Starts the managers of users and waits until they run. */
export async function startManagers(host: Host, accounts: readonly Account[]): Promise<void> {
  if (accounts.length === 0) return
  await must(host, ['loginctl', 'enable-linger', ...accounts.map(({ name }) => name)])
  await must(host, ['systemctl', 'start', ...accounts.map(({ uid }) => `user@${uid}.service`)])
}

/** Removes networks that no unit uses any more; podman gives them up with their containers only. */
export async function removeNetwork(host: Host, account: Account, name: string): Promise<void> {
  await host.run(asUser(account, ['podman', 'network', 'rm', '--force', name]))
}

/** Runs a program that has to succeed. @throws HostError PROGRAM_FAILED with what it said */
export async function must(host: Host, command: readonly string[], input?: string): Promise<void> {
  const { code, stderr, stdout } = await host.run(command, input === undefined ? {} : { input })
  if (code === 0) return
  const isFull = /no space left/i.test(stderr)
  const shown = command.slice(Math.max(0, command.indexOf('systemctl'))).join(' ')
  const lines = (stderr || stdout).trim().split('\n').slice(-LOG_LINES)
  throw new HostError({ code: isFull ? 'DISK_FULL' : 'PROGRAM_FAILED', message: `${shown} failed (${code})`, lines })
}

/** Does the work for each, for so many at a time. */
export async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values()
  const workers = Array.from({ length: Math.min(atOnce, items.length) }, async () => {
    for (const item of rest) await work(item)
  })
  await Promise.all(workers)
}
