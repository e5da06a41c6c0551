import { alike } from './alike.ts'
import type { Database } from './database.ts'
import { type Counted, openRollUps } from './roll-ups.ts'
import { ROLL_UPS } from './tables/usage.ts'
import { prepareUsage } from './usage-preparation.ts'

/** What is older goes; Unix milliseconds. */
export type Retention = { readonly rowsBefore: number; readonly rollUpsBefore: number }

/** Rows of one step: few, so that another writer waits for milliseconds. */
const ROWS_PER_STEP = 500
/** Budgets ask for what was spent in the window that goes on, of 31 days at most. */
const SPENT_KEPT_MS = 40 * 86_400_000

type Uncounted = Counted & { readonly requestId: string }

/**
 * What the usage log needs from time to time, in small steps. Rows that are in no roll-up, since an earlier version wrote
 * them, are counted; what is older than it is kept goes, rows only after they were counted.
 * @param now Unix milliseconds
 */
export function openUsageUpkeep(database: Database, now: number) {
  prepareUsage(database, now)
  const uncounted = database.prepare<[], Uncounted>(
    `SELECT request_id AS requestId, attempt, started_at AS startedAt, key_id AS keyId, user_id AS userId, team, teams,
       end_user AS endUser, model, target_model AS targetModel, category, upstream, provider, outcome, input_tokens AS inputTokens,
       output_tokens AS outputTokens, cached_tokens AS cachedTokens, cache_write_tokens AS cacheWriteTokens,
       reasoning_tokens AS reasoningTokens, cost_microdollars AS costMicrodollars, duration_ms AS durationMs,
       estimated, unpriced
     FROM usage WHERE rolled_up = 0 LIMIT ${ROWS_PER_STEP}`,
  )
  const counted = database.prepare<[string, number]>(
    'UPDATE usage SET rolled_up = 1 WHERE request_id = ? AND attempt = ?',
  )
  const old = database.prepare<[number], Pick<Uncounted, 'requestId' | 'attempt'>>(
    `SELECT request_id AS requestId, attempt FROM usage INDEXED BY usage_started_at
     WHERE started_at < ? ORDER BY started_at LIMIT ${ROWS_PER_STEP}`,
  )
  const remove = database.prepare<[string, number]>('DELETE FROM usage WHERE request_id = ? AND attempt = ?')
  const oldRollUps = ROLL_UPS.map(({ table, begin }) => ({
    oldest: database.prepare<[], number | null>(`SELECT MIN(${begin}) FROM ${table}`).pluck(),
    remove: database.prepare<[number]>(`DELETE FROM ${table} WHERE ${begin} = ?`),
  }))
  const oldestSpent = database.prepare<[], number | null>(
    `SELECT MIN(hour) FROM spent_hour HAVING MIN(hour) < MAX(hour) - ${SPENT_KEPT_MS}`,
  )
  const removeSpent = database.prepare<[number]>('DELETE FROM spent_hour WHERE hour = ?')
  const rollUps = openRollUps(database)

  const count = database.transaction((): boolean => {
    const rows = uncounted.all()
    for (const { requestId, attempt } of rows) counted.run(requestId, attempt)
    rollUps.add(alike(rows))
    return rows.length === ROWS_PER_STEP
  })
  const removeRows = database.transaction((before: number): boolean => {
    const rows = old.all(before)
    for (const { requestId, attempt } of rows) remove.run(requestId, attempt)
    return rows.length === ROWS_PER_STEP
  })

  /** One beginning at a time. */
  function removeRollUps(before: number): boolean {
    const gone = oldRollUps.filter((rollUp) => {
      const oldest = rollUp.oldest.get() ?? null
      if (oldest === null || oldest >= before) return false
      rollUp.remove.run(oldest)
      return true
    })
    const spent = oldestSpent.pluck().get() ?? null
    if (spent !== null) removeSpent.run(spent)
    return gone.length > 0 || spent !== null
  }

  return {
    /** @returns whether there is more to do  @throws SqliteError; then nothing of the step was done */
    step({ rowsBefore, rollUpsBefore }: Retention): boolean {
      if (count.immediate()) return true
      const hasOldRows = removeRows.immediate(rowsBefore)
      return removeRollUps(rollUpsBefore) || hasOldRows
    },
  }
}
