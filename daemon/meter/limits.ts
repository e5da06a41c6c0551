import { countText, gaugeText, labelText } from './series.ts'

/** One bound of a limit as it stands: `requests`, `tokens` or `concurrent`. */
export type LimitReading = {
  readonly name: string
  readonly of: string
  /** Of the subject that is closest to it. */
  readonly usedRatio: number
  readonly refused: number
}

/** Texts of the metrics of all limits, read at the scrape. */
export function limitMetrics(limits: readonly LimitReading[]): readonly string[] {
  const each = (value: (limit: LimitReading) => number) =>
    limits.map((limit) => [labelText(['limit', 'of'], [limit.name, limit.of]), value(limit)] as const)
  return [
    gaugeText(
      'gate_limit_used_ratio',
      'Share of a limit that is used, of the subject that is closest to it.',
      each(({ usedRatio }) => usedRatio),
    ),
    countText(
      'gate_limit_refused_total',
      'Requests that a limit has refused.',
      each(({ refused }) => refused),
    ),
  ]
}
