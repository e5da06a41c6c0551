import { styleText } from 'node:util'
import type { Report } from '../../host/doctor/doctor.ts'
import type { Status } from '../../host/doctor/finding.ts'
import type { Output } from '../surroundings.ts'
import { findingLines, type Mark, plain } from './finding-lines.ts'

const COLOURS: Readonly<Record<Status, 'green' | 'yellow' | 'red' | 'dim'>> = {
  ok: 'green',
  warn: 'yellow',
  fail: 'red',
  skip: 'dim',
}

export const coloured =
  (stream: Output): Mark =>
  (status) =>
    styleText(COLOURS[status], plain(status), { stream })

/** One line per finding, with why and what to do below those that are not ok, and their counts. */
export function reportText({ findings, counts }: Report, mark: Mark): string {
  const width = Math.max(...findings.map(({ check }) => check.length))
  const lines = findings.flatMap((finding) => findingLines(finding, width, mark))
  const summary = (['fail', 'warn', 'ok', 'skip'] as const).map((status) => `${counts[status]} ${status}`).join(', ')
  return [...lines, '', summary].join('\n')
}
