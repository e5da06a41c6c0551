import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openDatabase } from '../../store/sqlite/database.ts'
import { COUNT_COLUMNS, DURATION_COLUMNS, GROUP_COLUMNS, ROLL_UPS } from '../../store/sqlite/tables/usage.ts'
import { chatBody } from '../support/chat.ts'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import { isLong, sampled } from '../support/effort.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const ROWS = sampled(100_000, 10_000_000)
const DAYS = 90
const KEYS = 20
const MODELS = 5
const place = temporaryDirectory()
let gate: Daemon
afterAll(async () => {
  await gate?.stop()
  place.remove()
})

/** Rows of 90 days as they are imported, and what they come to. */
function fill(): void {
  const database = openDatabase(join(place.path, 'gate.db'))
  database.pragma('synchronous = OFF')
  const startMs = Date.now() - DAYS * 86_400_000
  database.exec(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT ${ROWS})
    INSERT INTO usage (request_id, attempt, started_at, key_id, model, upstream, target_model, status, outcome,
      input_tokens, output_tokens, cached_tokens, reasoning_tokens, estimated, cost_microdollars, duration_ms, rolled_up)
    SELECT printf('req_%010d', i), 1, ${startMs} + i * ${Math.floor((DAYS * 86_400_000) / ROWS)},
      'key' || (i % ${KEYS}), 'model' || (i % ${MODELS}), 'up', 't', 200, 'ok', 900, 90, 0, 0, 0, 11, 700, 1 FROM n`)
  for (const { table, begin, lengthMs } of ROLL_UPS) {
    const counts = [...COUNT_COLUMNS, ...DURATION_COLUMNS].map((name) => SUMS[name] ?? '0')
    database.exec(`INSERT INTO ${table} (${[begin, ...GROUP_COLUMNS, ...COUNT_COLUMNS, ...DURATION_COLUMNS].join(', ')})
      SELECT started_at - started_at % ${lengthMs}, ${GROUP_COLUMNS.join(', ')}, ${counts.join(', ')}
      FROM usage GROUP BY started_at - started_at % ${lengthMs}, ${GROUP_COLUMNS.join(', ')}`)
  }
  database.close()
}

const SUMS: Readonly<Record<string, string>> = {
  attempts: 'COUNT(*)',
  requests: 'COUNT(*)',
  answered: 'COUNT(*)',
  input_tokens: 'SUM(input_tokens)',
  output_tokens: 'SUM(output_tokens)',
  cost_microdollars: 'SUM(cost_microdollars)',
  duration_ms: 'SUM(duration_ms)',
  d18: 'COUNT(*)',
}

const residentMiB = () =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${gate.process.pid}/status`, 'utf8'))?.[1]) / 1_024

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  await work()
  return performance.now() - startMs
}

const headers = () => ({ authorization: `Bearer ${gate.key}`, 'content-type': 'application/json' })
const ask = () =>
  fetch(`${gate.url}/v1/chat/completions`, {
    method: 'POST',
    headers: headers(),
    body: chatBody('hello', { model: 'echo' }),
  }).then((response) => response.text())
const report = (since: string) =>
  fetch(`${gate.url}/api/admin/usage?since=${since}`, { headers: headers() }).then(
    (response) => response.json() as Promise<{ readonly total: { readonly requests: number } }>,
  )

/** Of requests one after the other. */
async function latencies(count: number): Promise<string> {
  const all: number[] = []
  for (let n = 0; n < count; n += 1) all.push(await timed(ask))
  all.sort((one, other) => one - other)
  const at = (share: number) => (all[Math.floor(all.length * share)] ?? 0).toFixed(1)
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`
}

test(`${ROWS} rows: reports, and old rows that go while requests are answered`, { timeout: 1_800_000 }, async () => {
  fill()
  const budget = { GATE_BUDGETS__MONTH__LIMIT: '100000 USD', GATE_BUDGETS__MONTH__WINDOW: 'month' }
  gate = await startDaemon({ GATE_USAGE__RETENTION: '45d', ...budget }, place.path)
  const figures: string[] = []
  for (const since of ['24h', '7d', '30d', '90d']) {
    const [first, again] = [await timed(() => report(since)), await timed(() => report(since))]
    figures.push(`${since}: ${Math.round(first)} ms, again ${Math.round(again)} ms`)
  }
  const before = residentMiB()
  const reading = { isOver: false }
  const reports = (async () => {
    while (!reading.isOver) await report('90d')
  })()
  const reported = await latencies(sampled(200, 5_000))
  reading.isOver = true
  await reports
  const during = await latencies(sampled(200, 5_000))
  let most = before
  const left = () => {
    const database = openDatabase(join(place.path, 'gate.db'))
    try {
      most = Math.max(most, residentMiB())
      return Number(
        database
          .prepare('SELECT 1 FROM usage WHERE started_at < ? LIMIT 1')
          .pluck()
          .get(Date.now() - 46 * 86_400_000),
      )
    } finally {
      database.close()
    }
  }
  await until(async () => {
    if (left() !== 1) return true
    await new Promise((resolve) => setTimeout(resolve, isLong ? 5_000 : 100))
    return false
  }, 1_500_000)
  const after = await latencies(sampled(200, 5_000))
  // every row of 45 days is gone, and what it came to is still there
  expect((await report('89d')).total.requests).toBeGreaterThan(ROWS * 0.95)
  const memory = `resident ${before.toFixed(0)} MiB, at most ${most.toFixed(0)} MiB`
  console.log(
    `${ROWS} rows: report ${figures.join(', ')}; requests beside reports ${reported}, while rows go ${during}, afterwards ${after}; ${memory}`,
  )
  expect(most).toBeLessThan(before + 200)
})
