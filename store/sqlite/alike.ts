import type { UsageRow } from '../../daemon/meter/usage.ts'

const HOUR_MS = 3_600_000

/** When the hour of an attempt began, Unix milliseconds. */
export const hourOf = ({ startedAt }: Pick<UsageRow, 'startedAt'>): number => startedAt - (startedAt % HOUR_MS)

/** The texts of a usage row but for its id: what attempts are told apart by. */
export const TEXT_FIELDS = [
  'keyId',
  'userId',
  'team',
  'teams',
  'endUser',
  'category',
  'model',
  'targetModel',
  'upstream',
  'provider',
  'outcome',
] as const satisfies readonly (keyof UsageRow)[]

/**
 * Attempts by their hour and their texts: there may be ten thousand of them in a second, of few kinds.
 * @returns lists of those that are alike, each in the order in which they came
 */
export function alike<R extends Pick<UsageRow, 'startedAt' | (typeof TEXT_FIELDS)[number]>>(
  rows: readonly R[],
): readonly (readonly R[])[] {
  const all = new Map<string, R[]>()
  for (const row of rows) {
    // one text and no list, which would be joined once more
    const who = `${row.keyId}\0${row.userId}\0${row.team}\0${row.teams}\0${row.endUser}\0${row.category}`
    const what = `${row.model}\0${row.targetModel}\0${row.upstream}\0${row.provider}\0${row.outcome}`
    const id = `${hourOf(row)}\0${who}\0${what}`
    const known = all.get(id)
    if (known === undefined) all.set(id, [row])
    else known.push(row)
  }
  return [...all.values()]
}
