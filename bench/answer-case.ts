import { join } from 'node:path'
import { coreBusyMs, runClient, SERVER_CORE } from './children.ts'
import { type RateResult, rateResult } from './rate-client.ts'
import type { Running, Target } from './servers.ts'
import { CONNECTIONS, runWrk } from './wrk.ts'

/** One request, one answer. Microseconds, bytes, percent of a window; NaN where a row has no such figure. */
export const ANSWER_FIGURES = [
  'requestsPerSecond',
  'cpuUsPerRequest',
  'busyPercent',
  'othersPercent',
  'waitedPercent',
  'fixedP50Us',
  'fixedP99Us',
  'fixedWaitedPercent',
  'firstAnswerMs',
  'idleRssBytes',
  'loadedRssBytes',
  'failed',
] as const
export type AnswerFigures = Readonly<Record<(typeof ANSWER_FIGURES)[number], number>>

/** The rate at which all servers are compared; the slowest must have room for it. */
export const FIXED_PER_SECOND = 1_000
const WARM_SECONDS = 4

/** A server that runs for all windows. Files go below `directory`. */
export type Case = {
  readonly server: Running
  readonly idleRssBytes: number
  readonly seconds: number
  readonly directory: string
  readonly signal: AbortSignal
}

export async function warmAnswers({ server, directory, signal }: Case): Promise<void> {
  await runWrk(server.target, WARM_SECONDS, directory, signal)
}

/** One window: as many requests as it takes, by wrk; then a fixed rate. */
export async function measureAnswers({
  server,
  idleRssBytes,
  seconds,
  directory,
  signal,
}: Case): Promise<AnswerFigures> {
  const before = server.child.usage()
  const coreBefore = coreBusyMs(SERVER_CORE)
  const wrk = await runWrk(server.target, seconds, directory, signal)
  const after = server.child.usage()
  const cpuMs = after.cpuMs - before.cpuMs
  const coreMs = coreBusyMs(SERVER_CORE) - coreBefore
  const fixed = await runRateClient(server.target, FIXED_PER_SECOND, seconds, signal)
  const end = server.child.usage()
  return {
    requestsPerSecond: wrk.requestsPerSecond,
    cpuUsPerRequest: (cpuMs * 1_000) / wrk.requests,
    busyPercent: cpuMs / seconds / 10,
    othersPercent: Math.max(0, coreMs - cpuMs) / seconds / 10,
    waitedPercent: (after.waitedMs - before.waitedMs) / seconds / 10,
    fixedP50Us: fixed.p50Us,
    fixedP99Us: fixed.p99Us,
    fixedWaitedPercent: (end.waitedMs - after.waitedMs) / seconds / 10,
    firstAnswerMs: server.firstAnswerMs,
    idleRssBytes,
    loadedRssBytes: end.rssBytes,
    failed: wrk.failed + fixed.failed,
  }
}

async function runRateClient(
  target: Target,
  ratePerSecond: number,
  seconds: number,
  signal: AbortSignal,
): Promise<RateResult> {
  const order = JSON.stringify({ ...target, ratePerSecond, seconds, connections: CONNECTIONS })
  const argv = [process.execPath, join(import.meta.dirname, 'rate-client.ts'), order]
  return rateResult.parse(JSON.parse(await runClient(argv, { lateMs: seconds * 1_000 + 20_000, signal })))
}
