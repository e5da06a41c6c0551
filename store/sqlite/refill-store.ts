import type { Refill, RefillStore } from '../../daemon/admit/refills.ts'
import type { Database } from './database.ts'
import { patiently } from './patiently.ts'

type Row = {
  readonly budget: string
  readonly subject: string
  readonly window_start: number
  readonly microdollars: number
  readonly at: number
  readonly by: string
}

/** Refills in the table `budget_refill`. @throws GateError STORE_UNAVAILABLE */
export function openRefillStore(database: Database): RefillStore {
  const since = database.prepare<[number], Row>('SELECT * FROM budget_refill WHERE window_start >= ? ORDER BY at')
  const insert = database.prepare(
    'INSERT INTO budget_refill (budget, subject, window_start, microdollars, at, by) VALUES (?, ?, ?, ?, ?, ?)',
  )
  return {
    since: (windowStartMs) =>
      since.all(windowStartMs).map(({ window_start, ...row }): Refill => ({ ...row, windowStartMs: window_start })),
    add({ budget, subject, windowStartMs, microdollars, at, by }) {
      patiently(database, () => insert.run(budget, subject, windowStartMs, microdollars, at, by))
    },
  }
}
