import type { UsageCounts, UsageGroup, UsagePoint } from '../../../schemas/admin-usage.ts'
import type { ApiAnswers } from '../../../schemas/api/answers.ts'
import { isCalendarDay } from '../../../schemas/words/calendar-day.ts'
import { USAGE_GROUPINGS } from '../../../schemas/words/usage-groupings.ts'
import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import { usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'
import { table } from '../../output/table.ts'
import type { Output } from '../../surroundings.ts'

type Report = ApiAnswers['GET /api/admin/usage']

/** Of millionths of a dollar: less would be shown as nothing. */
const LEAST_SHOWN = 50
/** Of the rows of some years. */
const LONGEST_READ_MS = 300_000

type Grouping = (typeof USAGE_GROUPINGS)[number]

export const run: Run = async ({ admin, json, text, flag, print, printJson, stdout }) => {
  const asked = text('by')
  const groupings = USAGE_GROUPINGS.filter((by) => asked === undefined || by === asked)
  if (groupings.length === 0)
    throw usageFailure(`--by: "${asked}" is not a grouping`, `there are: ${USAGE_GROUPINGS.join(', ')}`)
  const report = await admin.ask('GET /api/admin/usage', {
    query: { since: timeOf(text('since') ?? '24h') },
    timeoutMs: LONGEST_READ_MS,
  })
  if (json) printJson(report)
  else if (flag('csv')) print(csvText(report, groupings))
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
    ...sparkline(report.series),
    ...groupings.flatMap((by) => {
      const groups = groupsOf(report, by)
      return groups.length === 0 ? [] : ['', groupTable(by, groups, stdout)]
    }),
    ...(total.unpriced === 0 ? [] : ['', unpricedText(total)]),
    ...(total.estimated === 0 ? [] : ['', '~ counted in part by Gate, as the upstream did not report it']),
  ].join('\n')
}

/** Users are people with an account, and those whom programs name. */
function groupsOf(report: Report, by: Grouping): readonly UsageGroup[] {
  switch (by) {
    case 'model':
      return report.models
    case 'key':
      return report.keys
    case 'user':
      return [...report.people, ...report.users]
    case 'team':
      return report.teams
    case 'category':
      return report.categories
    case 'upstream':
      return report.upstreams
  }
}

const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const
const WIDEST = 80

/** Requests in the course of time: a bar for each point, or for several. */
function sparkline(series: readonly UsagePoint[]): readonly string[] {
  const [first] = series
  if (first === undefined) return []
  const each = Math.ceil(series.length / WIDEST)
  const sums = Array.from({ length: Math.ceil(series.length / each) }, (_, at) =>
    series.slice(at * each, (at + 1) * each).reduce((sum, { requests }) => sum + requests, 0),
  )
  const most = Math.max(...sums)
  if (most === 0) return []
  const bars = sums.map((sum) => (sum === 0 ? ' ' : BARS[Math.ceil((sum / most) * BARS.length) - 1]))
  return [`${bars.join('')}  requests, ${grouped(most)} at most`]
}

const CSV_COLUMNS = [
  'requests',
  'failed',
  'cancelled',
  'estimated',
  'input_tokens',
  'output_tokens',
  'cached_tokens',
  'cost_microdollars',
  'unpriced',
  'median_ms',
] as const

/** One table, with what it is by in the first column. */
function csvText(report: Report, groupings: readonly Grouping[]): string {
  const rows = groupings.flatMap((by) =>
    groupsOf(report, by).map((group) => [
      by,
      csvCell(escapeControls(group.name)),
      ...CSV_COLUMNS.map((name) => group[name] ?? ''),
    ]),
  )
  return [['by', 'name', ...CSV_COLUMNS], ...rows].map((row) => row.join(',')).join('\n')
}

/** RFC 4180. A name that a spreadsheet would take for a formula is a text to it. */
function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
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
