import { comparisonsTable, count, markdownTable, mib, ms } from './table.ts'
import type { TranslationReport } from './translation.ts'

const HEAD = [
  'CPU us/request',
  'CPU us/token',
  'first token p50 ms',
  'waited %',
  'RSS MiB',
  'streams read',
  'not whole',
]

/** The report as Markdown. @param absent why servers are not in it, by their names */
export function translationText(report: TranslationReport, absent: ReadonlyMap<string, string>): string {
  const { date, node, runs, loadAverage, paces } = report
  const parts = paces.flatMap(({ name, rows, comparisons }) => [
    markdownTable([
      [`200 tokens, ${name}`, ...HEAD],
      ...rows.map(({ name: row, figures }) => [
        row,
        count(figures.cpuUsPerRequest),
        count(figures.cpuUsPerToken, 1),
        ms(figures.firstTokenP50Us),
        count(figures.waitedPercent, 1),
        mib(figures.rssBytes),
        count(figures.finished),
        count(figures.notWhole),
      ]),
    ]),
    comparisonsTable(comparisons),
  ])
  const load = `load average ${loadAverage.before.toFixed(1)} before and ${loadAverage.after.toFixed(1)} after`
  return [...parts, absentText(absent), `${date}, Node ${node}, medians of ${runs} windows in turn, ${load}.`]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** Says which servers could not be installed. */
export function absentText(absent: ReadonlyMap<string, string>): string {
  return [...absent].map(([name, why]) => `Without ${name}: ${why}.`).join('\n')
}
