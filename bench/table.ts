import { FIXED_PER_SECOND } from './answer-case.ts'
import type { Comparison } from './compare.ts'
import type { GatewayReport } from './gateway.ts'
import { SERVERS, type ServerName } from './servers.ts'
import { STREAMS } from './stream-case.ts'

/** The report as Markdown: three tables and what they were measured on. */
export function gatewayText(report: GatewayReport): string {
  const parts = [answersTable(report), streamsTable(report), comparisonsTable(report.comparisons), notes(report)]
  return parts.filter((part) => part !== '').join('\n\n')
}

/** Cells as an aligned Markdown table; the first row is the head, all columns but the first are flush right. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    `| ${widths.map((width, column) => (column === 0 ? (row[column] ?? '').padEnd(width) : (row[column] ?? '').padStart(width))).join(' | ')} |`
  const rule = `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(head), rule, ...body.map(line)].join('\n')
}

/** A count with thousands separated, or "-" when there is none. */
export function count(value: number, digits = 0): string {
  if (Number.isNaN(value)) return '-'
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

export const ms = (us: number) => (Number.isNaN(us) ? '-' : (us / 1_000).toFixed(2))
export const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(0)
const pair = (a: number, b: number) => (Number.isNaN(a) ? '-' : `${ms(a)} / ${ms(b)}`)

function answersTable({ answers }: GatewayReport): string {
  const head = [
    'one request, one answer',
    'requests/s',
    'x portkey',
    'of nginx',
    'CPU us/request',
    'core busy %',
    'others %',
    'waited %',
    `p50 / p99 ms at ${count(FIXED_PER_SECOND)}/s`,
    'waited %',
    'first answer ms',
    'RSS idle MiB',
    'RSS loaded MiB',
    'failed',
  ]
  const rows = SERVERS.flatMap((name) => {
    const row = answers[name]
    if (row === undefined) return []
    const than = (other: ServerName) =>
      name === 'mock' ? Number.NaN : row.requestsPerSecond / (answers[other]?.requestsPerSecond ?? Number.NaN)
    return [
      [
        name,
        count(row.requestsPerSecond),
        count(than('portkey'), 1),
        count(than('nginx'), 2),
        count(row.cpuUsPerRequest, 1),
        name === 'mock' ? '-' : count(row.busyPercent),
        name === 'mock' ? '-' : count(row.othersPercent),
        count(row.waitedPercent, 1),
        pair(row.fixedP50Us, row.fixedP99Us),
        count(row.fixedWaitedPercent, 1),
        count(row.firstAnswerMs),
        mib(row.idleRssBytes),
        mib(row.loadedRssBytes),
        count(row.failed),
      ],
    ]
  })
  return markdownTable([head, ...rows])
}

function streamsTable({ streams }: GatewayReport): string {
  const head = [
    `${STREAMS} streams`,
    'first token p50 / p99 ms',
    'tokens/s',
    'CPU us/token',
    'waited %',
    'RSS MiB',
    'streams read',
    'not whole',
  ]
  const rows = SERVERS.flatMap((name) => {
    const row = streams[name]
    if (row === undefined) return []
    return [
      [
        name,
        pair(row.firstTokenP50Us, row.firstTokenP99Us),
        count(row.tokensPerSecond),
        count(row.cpuUsPerToken, 1),
        count(row.waitedPercent, 1),
        mib(row.rssBytes),
        count(row.finished),
        count(row.notWhole),
      ],
    ]
  })
  return markdownTable([head, ...rows])
}

export function comparisonsTable(comparisons: readonly Comparison[]): string {
  if (comparisons.length === 0) return ''
  const rows = comparisons.map(({ what, ratio, low, high, goal, verdict }) => [
    what,
    count(ratio, 2),
    `${count(low, 2)} - ${count(high, 2)}`,
    goal === null ? '-' : count(goal, 2),
    verdict,
  ])
  return markdownTable([['compared', 'median', 'least - greatest', 'goal', 'says'], ...rows])
}

function notes({ date, cpu, node, seconds, runs, loadAverage, answers, package: size }: GatewayReport): string {
  const mock = answers.mock
  const direct =
    mock === undefined
      ? ''
      : `\nThe mock asked directly: ${count(mock.requestsPerSecond)} requests/s (the limit of the load side), ` +
        `p50 / p99 ${pair(mock.fixedP50Us, mock.fixedP99Us)} ms at ${count(FIXED_PER_SECOND)}/s.`
  const packed =
    size === null
      ? ''
      : `\nThe package gate without dependencies: ${count(size.packedBytes / 1_024)} KiB packed, ` +
        `${count(size.unpackedBytes / 1_024)} KiB unpacked, ${size.files} files.`
  return (
    `${date}, ${cpu}, Node ${node}, medians of ${runs} windows of ${seconds} s in turn, ` +
    `load average ${loadAverage.before.toFixed(1)} before and ${loadAverage.after.toFixed(1)} after.${direct}${packed}`
  )
}
