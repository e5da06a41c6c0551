import { join } from 'node:path'
import { coreBusyMs, runClient, SERVER_CORE } from './children.ts'
import { type RateResult, rateResult } from './rate-client.ts'
import { type Bench, type Running, startMock, startServer, type Target } from './servers.ts'
import { CONNECTIONS, runWrk } from './wrk.ts'

/** One request, one answer. Microseconds, bytes, percent of one core; NaN where a row has no such figure. */
export const ANSWER_FIGURES = [
  'requestsPerSecond',
  'cpuUsPerRequest',
  'busyPercent',
  'othersPercent',
  'fixedP50Us',
  'fixedP99Us',
  'fixedAddedP50Us',
  'fixedAddedP99Us',
  'halfPerSecond',
  'halfAddedP50Us',
  'halfAddedP99Us',
  'firstAnswerMs',
  'idleRssBytes',
  'loadedRssBytes',
  'failed',
] as const
export type AnswerFigures = Readonly<Record<(typeof ANSWER_FIGURES)[number], number>>

/** The rate at which all servers are compared; the slowest must have room for it. */
export const FIXED_PER_SECOND = 1_000
const WARM_SECONDS = 2

/** Measures one server, from its start to its stop. */
export async function measureAnswers({ name, seconds, directory, signal }: Bench): Promise<AnswerFigures> {
  await using mock = await startMock('answers', directory)
  if (name === 'mock') return { ...(await loadAnswers(mock, seconds, directory, signal)), ...NOTHING_ADDED }
  await using server = await startServer(name, 'answers', mock, directory)
  const load = await loadAnswers(server, seconds, directory, signal)
  const fixed = await addedLatency(server, mock, FIXED_PER_SECOND, seconds, signal)
  const halfPerSecond = Math.round(load.requestsPerSecond / 2)
  const half = await addedLatency(server, mock, halfPerSecond, seconds, signal)
  return {
    ...load,
    fixedAddedP50Us: fixed.p50Us,
    fixedAddedP99Us: fixed.p99Us,
    halfPerSecond,
    halfAddedP50Us: half.p50Us,
    halfAddedP99Us: half.p99Us,
    loadedRssBytes: server.child.usage().rssBytes,
    failed: load.failed + fixed.failed + half.failed,
  }
}

const NOTHING_ADDED = {
  fixedAddedP50Us: Number.NaN,
  fixedAddedP99Us: Number.NaN,
  halfPerSecond: Number.NaN,
  halfAddedP50Us: Number.NaN,
  halfAddedP99Us: Number.NaN,
}

/** As many requests as it takes, by wrk; then a fixed rate. */
async function loadAnswers(server: Running, seconds: number, directory: string, signal: AbortSignal) {
  const idleRssBytes = server.child.usage().rssBytes
  await runWrk(server.target, WARM_SECONDS, directory, signal)
  const cpuBefore = server.child.usage().cpuMs
  const coreBefore = coreBusyMs(SERVER_CORE)
  const wrk = await runWrk(server.target, seconds, directory, signal)
  const cpuMs = server.child.usage().cpuMs - cpuBefore
  const coreMs = coreBusyMs(SERVER_CORE) - coreBefore
  const fixed = await runRateClient(server.target, FIXED_PER_SECOND, seconds, signal)
  return {
    requestsPerSecond: wrk.requestsPerSecond,
    cpuUsPerRequest: (cpuMs * 1_000) / wrk.requests,
    busyPercent: cpuMs / seconds / 10,
    othersPercent: Math.max(0, coreMs - cpuMs) / seconds / 10,
    fixedP50Us: fixed.p50Us,
    fixedP99Us: fixed.p99Us,
    firstAnswerMs: server.firstAnswerMs,
    idleRssBytes,
    loadedRssBytes: server.child.usage().rssBytes,
    failed: wrk.failed + fixed.failed,
  }
}

/** The server's latency less the mock's own, both asked at the same rate, one after the other. */
async function addedLatency(server: Running, mock: Running, perSecond: number, seconds: number, signal: AbortSignal) {
  const direct = await runRateClient(mock.target, perSecond, seconds, signal)
  const through = await runRateClient(server.target, perSecond, seconds, signal)
  return {
    p50Us: through.p50Us - direct.p50Us,
    p99Us: through.p99Us - direct.p99Us,
    failed: through.failed,
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
