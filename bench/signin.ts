import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createHasher, usableHash } from '../daemon/auth/password/hasher.ts'
import { createPasswords } from '../daemon/auth/password/passwords.ts'
import { startDaemon } from '../test/support/daemon.ts'
import { percentile, welch } from './statistics.ts'

/** What signing in by a password shows to others, and costs them. */
export type SignInReport = {
  /** Checks of an unknown name against those of a wrong password, in turn; |t| below 4.5 tells nothing apart. */
  readonly timing: { readonly checks: number; readonly unknownMs: number; readonly wrongMs: number; readonly t: number }
  /** A page of another kind, without sign-ins and while 500 come at once. */
  readonly flood: {
    readonly quietP99Ms: number
    readonly floodP99Ms: number
    readonly statuses: Readonly<Record<string, number>>
    readonly quietRssBytes: number
    readonly floodRssBytes: number
  }
}

const CHECKS = 400
const LOGINS = 500
/** One flood lasts for a second or two: the figures are those of several, with as many quiet times in between. */
const ROUNDS = 8
const PROBES = 300
const MOST_PROBES = 5_000
const PAUSE_MS = 2

/** @param signal ends it early */
export async function benchSignIn(signal: AbortSignal): Promise<SignInReport> {
  return { timing: await timing(signal), flood: await flood(signal) }
}

/** In this process, so that the network hides nothing; each check has an address of its own, so that no limit is met. */
async function timing(signal: AbortSignal): Promise<SignInReport['timing']> {
  const hasher = createHasher()
  const passwordHash = await hasher.hash('the right one')
  const accounts = {
    named: (name: string) => (name.startsWith('known') ? { userId: () => 'u', passwordHash } : undefined),
    foreignCost: () => usableHash(passwordHash),
  }
  const passwords = createPasswords(accounts, hasher, () => performance.now())
  const times: Record<'known' | 'other', number[]> = { known: [], other: [] }
  for (let i = 0; i < CHECKS * 2; i++) {
    signal.throwIfAborted()
    const kind = Math.random() < 0.5 ? 'known' : 'other'
    const start = performance.now()
    await passwords.verify(`${kind}${i}`, 'a wrong one', `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
    if (i >= 20) times[kind].push(performance.now() - start)
  }
  const { t, means } = welch(times.other, times.known)
  return { checks: times.known.length + times.other.length, unknownMs: means[0], wrongMs: means[1], t }
}

async function flood(signal: AbortSignal): Promise<SignInReport['flood']> {
  const folder = mkdtempSync(join(tmpdir(), 'gate-bench-signin-'))
  const hash = await createHasher().hash('the right one')
  const env = {
    GATE_AUTH__MODE: 'token,password',
    GATE_AUTH__PASSWORD_HASH: hash,
    GATE_SERVER__TRUSTED_PROXIES: '127.0.0.1',
  }
  const daemon = await startDaemon(env, folder)
  const rss = async () => {
    const status = await readFile(`/proc/${daemon.process.pid}/status`, 'utf8')
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1_024
  }
  const probe = async () => {
    const start = performance.now()
    const answer = await fetch(`${daemon.url}/v1/models`, {
      headers: { authorization: `Bearer ${daemon.key}` },
      signal,
    })
    await answer.arrayBuffer()
    return performance.now() - start
  }
  const probes = async (most: number, isDone = () => false) => {
    const all: number[] = []
    while (all.length < most && !isDone()) {
      all.push(await probe())
      await pause(PAUSE_MS)
    }
    return all
  }
  const statuses: Record<string, number> = {}
  const times: Record<'quiet' | 'flood', number[]> = { quiet: [], flood: [] }
  /** @returns memory at the end of it */
  const round = async (number: number) => {
    times.quiet.push(...(await probes(PROBES)))
    let left = LOGINS
    const logins = Array.from({ length: LOGINS }, async (_, i) => {
      const answer = await fetch(`${daemon.url}/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-forwarded-for': `10.${number}.${i >> 8}.${i & 255}` },
        body: JSON.stringify({ username: `user${number}-${i}`, password: 'a wrong one' }),
        signal,
      })
      await answer.arrayBuffer()
      left -= 1
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1
    })
    times.flood.push(...(await probes(MOST_PROBES, () => left === 0)))
    await Promise.all(logins)
    return rss()
  }
  const p99 = (all: readonly number[]) =>
    percentile(
      all.toSorted((a, b) => a - b),
      99,
    )
  try {
    await probes(PROBES) // until it is warm
    const quietRssBytes = await rss()
    let floodRssBytes = 0
    for (let number = 0; number < ROUNDS; number++) floodRssBytes = Math.max(floodRssBytes, await round(number))
    return { quietP99Ms: p99(times.quiet), floodP99Ms: p99(times.flood), statuses, quietRssBytes, floodRssBytes }
  } finally {
    await daemon.stop()
    daemon.remove()
    rmSync(folder, { recursive: true, force: true })
  }
}

export function signInText({ timing, flood }: SignInReport): string {
  const ms = (value: number) => `${value.toFixed(2)} ms`
  const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`
  const counted = Object.entries(flood.statuses).map(([status, count]) => `${count} × ${status}`)
  return [
    `Unknown name ${ms(timing.unknownMs)}, wrong password ${ms(timing.wrongMs)}, over ${timing.checks} checks: Welch's t = ${timing.t.toFixed(2)}.`,
    `While ${LOGINS} sign-ins come at once, ${ROUNDS} times (${counted.join(', ')}): p99 of \`/v1/models\` ${ms(flood.floodP99Ms)}, without them ${ms(flood.quietP99Ms)} (${(flood.floodP99Ms / flood.quietP99Ms).toFixed(1)}×); memory ${mib(flood.floodRssBytes)}, before ${mib(flood.quietRssBytes)}.`,
  ].join('\n\n')
}
