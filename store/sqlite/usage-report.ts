import type { UsageCounts, UsageGroup } from '../../schemas/admin-usage.ts'
import type { Database } from './database.ts'

/** What is read of each attempt. */
type Attempt = {
  readonly request_id: string
  readonly started_at: number
  readonly key_id: string
  readonly end_user: string
  readonly model: string
  readonly upstream: string
  readonly outcome: string
  readonly input_tokens: number
  readonly output_tokens: number
  readonly estimated: number
  readonly cost_microdollars: number
  readonly unpriced: number
  readonly duration_ms: number
}

/** Most groups of one kind in a report: the busiest. */
const MOST_GROUPS = 1_000

/** The total, and the busiest of each kind; keys are named by their ids. */
export type Report = {
  readonly total: UsageCounts
  readonly models: UsageGroup[]
  readonly keys: UsageGroup[]
  readonly upstreams: UsageGroup[]
  /** Of programs that say who their users are. */
  readonly users: UsageGroup[]
}

/**
 * What was used from `since` on, Unix milliseconds. Reads the whole table: a million rows take about a second.
 */
export function usageReport(database: Database, since: number): Report {
  const rows = database.prepare<[number], Attempt>(
    `SELECT request_id, started_at, key_id, end_user, model, upstream, outcome, input_tokens, output_tokens, estimated,
       cost_microdollars, unpriced, duration_ms
     FROM usage WHERE started_at >= ? ORDER BY request_id, attempt`,
  )
  const total = emptyTally()
  const tallies = () => new Map<string, Tally>()
  const [models, keys, upstreams, users] = [tallies(), tallies(), tallies(), tallies()]
  for (const attempts of byRequest(rows.iterate(since))) {
    const [first] = attempts
    for (const tally of [total, at(models, first.model), at(keys, first.key_id)]) count(tally, attempts)
    if (first.end_user !== '') count(at(users, first.end_user), attempts)
    for (const [upstream, own] of Map.groupBy(attempts, (attempt) => attempt.upstream)) {
      const [start, ...retries] = own
      if (start !== undefined) count(at(upstreams, upstream), [start, ...retries])
    }
  }
  return {
    total: shown(total),
    models: groups(models),
    keys: groups(keys),
    upstreams: groups(upstreams),
    users: groups(users),
  }
}

type Attempts = [Attempt, ...Attempt[]]

/** The attempts of each request, which come one after the other. */
function* byRequest(rows: Iterable<Attempt>): Generator<Attempts> {
  let attempts: Attempts | undefined
  for (const row of rows) {
    if (attempts?.[0].request_id === row.request_id) attempts.push(row)
    else {
      if (attempts !== undefined) yield attempts
      attempts = [row]
    }
  }
  if (attempts !== undefined) yield attempts
}

/** Durations are counted per millisecond, so that the median is exact and their number takes no memory. */
type Tally = Record<(typeof COUNTS)[number], number> & { readonly answeredMs: Map<number, number> }
const COUNTS = [
  'requests',
  'failed',
  'cancelled',
  'estimated',
  'input_tokens',
  'output_tokens',
  'cost_microdollars',
  'unpriced',
] as const

function emptyTally(): Tally {
  return {
    requests: 0,
    failed: 0,
    cancelled: 0,
    estimated: 0,
    input_tokens: 0,
    output_tokens: 0,
    cost_microdollars: 0,
    unpriced: 0,
    answeredMs: new Map(),
  }
}

function at(tallies: Map<string, Tally>, name: string): Tally {
  const known = tallies.get(name)
  if (known !== undefined) return known
  const tally = emptyTally()
  tallies.set(name, tally)
  return tally
}

/** Counts one request: its last attempt says how it ended, all of them what it took. */
function count(tally: Tally, attempts: Attempts): void {
  const [first] = attempts
  const last = attempts.at(-1) ?? first
  tally.requests += 1
  if (last.outcome === 'cancelled') tally.cancelled += 1
  else if (last.outcome !== 'ok') tally.failed += 1
  if (attempts.some(({ estimated }) => estimated === 1)) tally.estimated += 1
  if (attempts.some(({ unpriced }) => unpriced === 1)) tally.unpriced += 1
  for (const { input_tokens, output_tokens, cost_microdollars } of attempts) {
    tally.input_tokens += input_tokens
    tally.output_tokens += output_tokens
    tally.cost_microdollars += cost_microdollars
  }
  if (last.outcome !== 'ok') return
  const ms = Math.max(0, last.started_at - first.started_at) + last.duration_ms
  tally.answeredMs.set(ms, (tally.answeredMs.get(ms) ?? 0) + 1)
}

function shown({ answeredMs, ...counts }: Tally): UsageCounts {
  const median = medianOf(answeredMs)
  return median === undefined ? counts : { ...counts, median_ms: median }
}

/** The lower one of the two in the middle. */
function medianOf(counts: ReadonlyMap<number, number>): number | undefined {
  const values = [...counts].sort(([one], [other]) => one - other)
  const half = values.reduce((sum, [, many]) => sum + many, 0) / 2
  let seen = 0
  for (const [value, many] of values) {
    seen += many
    if (seen >= half) return value
  }
  return undefined
}

function groups(tallies: ReadonlyMap<string, Tally>): UsageGroup[] {
  return [...tallies]
    .map(([name, tally]) => ({ name, ...shown(tally) }))
    .sort((one, other) => other.requests - one.requests || one.name.localeCompare(other.name, 'en'))
    .slice(0, MOST_GROUPS)
}
