import type { Log } from '../../schemas/words/log.ts'
import type { UsageRow, UsageStore } from './usage.ts'

/**
 * Rows that may wait for a store that fails, and how long, before new requests are refused. Requests in flight then
 * still add theirs, so the backlog is bounded by this and server.max_concurrent.
 */
const MAX_BACKLOG_ROWS = 50_000
const MAX_BACKLOG_MS = 5_000
const RETRY_MS = 100

export type Ledger = ReturnType<typeof createLedger>

/**
 * Writes usage rows in the background, in batches: one write for all attempts that ended in the same turn of
 * the event loop. `settle` resolves when the row is on disk, and only then does the gateway end its answer, so a
 * client that saw an answer complete has its row, whatever kills the daemon.
 *
 * When the store fails (locked, disk full) rows wait in memory and answers no longer wait for them; when that lasts,
 * `refusal()` says why new requests are refused, until a write succeeds.
 */
export function createLedger({ store, log, now }: { store: UsageStore; log: Log; now: () => number }) {
  let rows: UsageRow[] = []
  let waiting: (() => void)[] = []
  let scheduled: NodeJS.Immediate | null = null
  let retry: NodeJS.Timeout | null = null
  let failingSince: number | null = null
  let lastError: string | null = null

  function flush(): void {
    scheduled = null
    if (rows.length > 0 && failingSince === null) write()
    const settled = waiting
    waiting = []
    for (const resolve of settled) resolve()
  }

  function write(): void {
    try {
      store.append(rows)
      rows = []
      if (failingSince !== null) log('info', 'usage rows are being written again')
      failingSince = null
      lastError = null
    } catch (error) {
      lastError = error instanceof Error ? error.message : String(error)
      if (failingSince === null) {
        failingSince = now()
        log('error', 'cannot write usage rows; they wait in memory', { error: lastError, count: rows.length })
      }
      retry ??= setTimeout(() => {
        retry = null
        write()
      }, RETRY_MS).unref()
    }
  }

  return {
    /** Hands over a finished attempt. @returns when it is on disk, or waits in memory because the store fails */
    settle(row: UsageRow): Promise<void> {
      rows.push(row)
      return new Promise((resolve) => {
        waiting.push(resolve)
        scheduled ??= setImmediate(flush)
      })
    },
    /** Why new requests are refused, in words for clients; null while rows are written, or soon will be. */
    refusal(): string | null {
      if (store.isDamaged()) return 'usage cannot be recorded, because the database is damaged'
      if (failingSince === null) return null
      const isLong = now() - failingSince > MAX_BACKLOG_MS || rows.length >= MAX_BACKLOG_ROWS
      return isLong ? 'usage cannot be recorded (disk full?)' : null
    },
    /** Writes what has ended by now. @returns whether no row waits for the store any more */
    flush(): boolean {
      if (rows.length > 0 && failingSince === null) write()
      return rows.length === 0
    },
    backlogRows: () => rows.length,
    /** Why rows cannot be written right now; null while they can. */
    lastError: () => lastError,
    /** Writes what is left. Call after the last request. @returns the number of rows that could not be written */
    close(): number {
      if (scheduled !== null) clearImmediate(scheduled)
      if (retry !== null) clearTimeout(retry)
      retry = null
      if (rows.length > 0) write()
      flush()
      if (retry !== null) clearTimeout(retry)
      return rows.length
    },
  }
}
