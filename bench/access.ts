import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Case, measureAnswers, warmAnswers } from './answer-case.ts'
import { GATE_MODELS, KEY, type Running, startMock, startServer } from './servers.ts'
import { median, percentile } from './statistics.ts'
import { count, markdownTable } from './table.ts'

const KEYS = 1_000
const RULES = 100
/** Of the budgets, and of the limits, these count the requests that are measured; the others are of other keys. */
const APPLYING = 30

/**
 * `cpuUs` and `perSecond`: of each window, in turn. `ratios`: of `cpuUs` of two windows that followed each other, the
 * first way as 1; ascending.
 */
export type AccessReport = {
  readonly date: string
  readonly cpu: string
  readonly loadAverage: number
  readonly seconds: number
  readonly ways: readonly {
    readonly name: string
    readonly cpuUs: readonly number[]
    readonly perSecond: readonly number[]
    readonly failed: number
  }[]
  readonly ratios: readonly number[]
}

/**
 * What access, budgets and limits add to a request that passes: two Gates that are the same but for them, loaded in
 * turn.
 */
export async function benchAccess(
  { seconds, runs }: { readonly seconds: number; readonly runs: number },
  signal: AbortSignal,
): Promise<AccessReport> {
  const directory = mkdtempSync(join(tmpdir(), 'gate-bench-'))
  try {
    await using started = new AsyncDisposableStack()
    const mock = started.use(await startMock('answers', directory))
    const prices = { GATE_UPSTREAMS__BENCH__PRICES: JSON.stringify([{ model: GATE_MODELS.chat, input: 1, output: 1 }]) }
    const plain = started.use(await startServer('gate', 'answers', mock, directory, prices))
    const full = started.use(await startServer('gate', 'answers', mock, directory, { ...prices, ...rules() }))
    await makeKeys(full, signal)
    const ways = [
      { name: 'the system key alone', server: plain },
      { name: `${count(KEYS)} keys, ${RULES} budgets and ${RULES} limits, ${APPLYING} of each apply`, server: full },
    ].map(({ name, server }) => {
      const one: Case = { server, idleRssBytes: server.child.usage().rssBytes, seconds, directory, signal }
      return { name, one, cpuUs: [] as number[], perSecond: [] as number[], failed: 0 }
    })
    for (const { one } of ways) await warmAnswers(one)
    for (let run = 0; run < runs; run += 1) {
      console.error(`bench: access, run ${run + 1} of ${runs}`)
      // one after the other, so that whatever else the machine does slows both down
      for (const way of run % 2 === 0 ? ways : ways.toReversed()) {
        const { cpuUsPerRequest, requestsPerSecond, failed } = await measureAnswers(way.one)
        way.cpuUs.push(cpuUsPerRequest)
        way.perSecond.push(requestsPerSecond)
        way.failed += failed
      }
    }
    const [plainUs = [], fullUs = []] = ways.map(({ cpuUs }) => cpuUs)
    return {
      date: new Date().toISOString().slice(0, 10),
      cpu: cpus()[0]?.model ?? 'unknown',
      loadAverage: loadavg()[0] ?? 0,
      seconds,
      ways: ways.map(({ one: _, ...way }) => way),
      ratios: plainUs.map((us, run) => (fullUs[run] ?? Number.NaN) / us).sort((a, b) => a - b),
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const BUDGET_SCOPES = ['global', 'each-key', 'each-model', 'each-provider']
const LIMIT_SCOPES = ['global', 'each-key', 'each-model', 'each-ip']

/** None of them is ever reached. */
function rules(): Readonly<Record<string, string>> {
  const all: Record<string, string> = {}
  for (let n = 0; n < RULES; n += 1) {
    const scopeOf = (scopes: readonly string[]) => (n < APPLYING ? scopes[n % scopes.length] : `key:key-${n}`) ?? ''
    const windows = ['hour', 'day', 'week', 'month']
    all[`GATE_BUDGETS__B${n}__LIMIT`] = '900000000 USD'
    all[`GATE_BUDGETS__B${n}__WINDOW`] = windows[n % windows.length] ?? ''
    all[`GATE_BUDGETS__B${n}__SCOPE`] = scopeOf(BUDGET_SCOPES)
    all[`GATE_LIMITS__L${n}__SCOPE`] = scopeOf(LIMIT_SCOPES)
    all[`GATE_LIMITS__L${n}__REQUESTS_PER_MINUTE`] = '1000000000'
    all[`GATE_LIMITS__L${n}__TOKENS_PER_MINUTE`] = '1000000000000'
    all[`GATE_LIMITS__L${n}__CONCURRENT`] = '1000000'
  }
  return all
}

async function makeKeys({ target }: Running, signal: AbortSignal): Promise<void> {
  for (let n = 0; n < KEYS; n += 1) {
    const answer = await fetch(`http://127.0.0.1:${target.port}/api/admin/keys`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
      body: JSON.stringify({ name: `key-${n}`, scopes: ['chat:write'] }),
      signal,
    })
    if (!answer.ok) throw new Error(`a key could not be made: ${answer.status} ${await answer.text()}`)
  }
}

/** The report as Markdown. */
export function accessText({ date, cpu, loadAverage, seconds, ways, ratios }: AccessReport): string {
  const rows = ways.map(({ name, cpuUs, perSecond, failed }) => [
    name,
    count(median(cpuUs), 1),
    count(median(perSecond)),
    String(failed),
  ])
  const head = ['Gate with', 'CPU per request, µs', 'requests/s', 'failed']
  const [more, least, most] = [50, 25, 75].map((rank) => ((percentile(ratios, rank) - 1) * 100).toFixed(1))
  const pairs = `${ratios.length} pairs of windows of ${seconds} s`
  return `${markdownTable([head, ...rows])}\n\n${more} % more CPU per request (quartiles ${least} and ${most} %, of ${pairs}). ${cpu}, ${date}, load average ${loadAverage.toFixed(1)}.`
}
