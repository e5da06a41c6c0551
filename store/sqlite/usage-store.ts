import type { UsageRow, UsageStore } from '../../daemon/meter/usage.ts'
import type { Database } from './database.ts'

/**
 * The usage log in the table `usage`. A retried row is ignored, so appending twice never counts twice.
 * @throws SqliteError (SQLITE_BUSY, SQLITE_FULL, …); then no row of the batch was written
 */
export function openUsageStore(database: Database): UsageStore {
  const insert = database.prepare(
    `INSERT OR IGNORE INTO usage (request_id, attempt, started_at, key_id, model, upstream, target_model, status, outcome,
       input_tokens, output_tokens, cached_tokens, reasoning_tokens, estimated, cost_microdollars, duration_ms, ttft_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const insertAll = database.transaction((rows: readonly UsageRow[]) => {
    for (const r of rows) {
      insert.run(
        r.requestId,
        r.attempt,
        r.startedAt,
        r.keyId,
        r.model,
        r.upstream,
        r.targetModel,
        r.status,
        r.outcome,
        r.inputTokens,
        r.outputTokens,
        r.cachedTokens,
        r.reasoningTokens,
        r.estimated ? 1 : 0,
        r.costMicrodollars,
        r.durationMs,
        r.ttftMs,
      )
    }
  })
  return { append: (rows) => insertAll.immediate(rows) }
}
