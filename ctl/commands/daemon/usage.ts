import type { AdminAnswers } from '../../../schemas/admin.ts'
import type { UsageCounts, UsageGroup } from '../../../schemas/admin-usage.ts'
import { isCalendarDay } from '../../../schemas/words/calendar-day.ts'
import { USAGE_GROUPINGS } from '../../../schemas/words/usage-groupings.ts'
import { usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'
import { table } from '../../output/table.ts'
import type { Output } from '../../surroundings.ts'

type Report = AdminAnswers['GET /v1/usage']

/** Of millionths of a dollar: less would be shown as nothing. */
const LEAST_SHOWN = 50
/** Of the rows of some years. */
const LONGEST_READ_MS = 300_000

type Grouping = (typeof USAGE_GROUPINGS)[number]

export const run: Run = async ({ admin, json, text, print, printJson, stdout }) => {
  const asked = text('by')
  const groupings = USAGE_GROUPINGS.filter((by) => asked === undefined || by === asked)
  if (groupings.length === 0)
    throw usageFailure(`--by: "${asked}" is not a grouping`, `there are: ${USAGE_GROUPINGS.join(', ')}`)
  const report = await admin.ask('GET /v1/usage', {
    query: { since: timeOf(text('since') ?? '24h') },
    timeoutMs: LONGEST_READ_MS,
  })
  if (json) printJson(report)
  else print(reportText(report, groupings, stdout))
  return 0
}

function unpricedText({ unpriced }: UsageCounts): string {
  const what = unpriced === 1 ? '1 request went to a model' : `${unpriced} requests went to models`
  return `${what} of no known price, and cost more than is shown: set upstreams.NAME.prices`
}

/** Days begin at midnight in the caller's time zone, not in the daemon's. */
function timeOf(since: string): string {
  if (since === 'today') return new Date(new Date().setHours(0, 0, 0, 0)).toISOString()
  return isCalendarDay(since) ? new Date(`${since}T00:00`).toISOString() : since
}

function reportText(report: Report, groupings: readonly Grouping[], stdout: Output): string {
  const { since, until, total, incomplete } = report
  const failures = total.failed === 0 ? '' : `, ${total.failed} failed`
  return [
    `${since} to ${until}: ${total.requests} request${total.requests === 1 ? '' : 's'}${failures}`,
    ...(incomplete === undefined ? [] : [`the last ones are missing: ${incomplete}`]),
    ...groupings.flatMap((by) => {
      const groups = report[`${by}s`]
      return groups.length === 0 ? [] : ['', groupTable(by, groups, stdout)]
    }),
    ...(total.unpriced === 0 ? [] : ['', unpricedText(total)]),
    ...(total.estimated === 0 ? [] : ['', '~ counted in part by Gate, as the upstream did not report it']),
  ].join('\n')
}

function groupTable(by: Grouping, groups: readonly UsageGroup[], stdout: Output): string {
  const header = [by.toUpperCase(), 'REQUESTS', 'FAILED', 'INPUT', 'OUTPUT', 'COST', 'MEDIAN']
  const rows = groups.map((group) => [
    group.name || '(no model: files, batches)',
    grouped(group.requests),
    grouped(group.failed),
    tokens(group, group.input_tokens),
    tokens(group, group.output_tokens),
    costText(group),
    durationText(group.median_ms),
  ])
  return table(header, rows, stdout)
}

function tokens({ estimated }: UsageCounts, count: number): string {
  return `${estimated > 0 ? '~' : ''}${grouped(count)}`
}

function costText({ cost_microdollars: cost, estimated, unpriced }: UsageCounts): string {
  if (cost === 0) return unpriced > 0 ? '?' : '-'
  const [about, more] = [estimated > 0 ? '~' : '', unpriced > 0 ? '+' : '']
  if (cost < LEAST_SHOWN) return `${about}<$0.0001${more}`
  return `${about}$${(cost / 1_000_000).toFixed(cost < 1_000_000 ? 4 : 2)}${more}`
}

function grouped(count: number): string {
  return count.toLocaleString('en')
}

function durationText(ms: number | undefined): string {
  if (ms === undefined) return '-'
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toFixed(1)} s`
}
