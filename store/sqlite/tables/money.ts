/** What operators have added to budgets: for one window, and one subject where a budget has a pot for each. */
export const REFILL_TABLE = `CREATE TABLE IF NOT EXISTS budget_refill (
  budget TEXT NOT NULL,
  subject TEXT NOT NULL,
  window_start INTEGER NOT NULL,
  microdollars INTEGER NOT NULL,
  at INTEGER NOT NULL,
  by TEXT NOT NULL
) STRICT`

/** Batches that upstreams work on, and what files ask for whose lines are the requests of one; `hold` and `parts` are JSON. */
export const BATCH_TABLES = [
  `CREATE TABLE IF NOT EXISTS batch_hold (
  upstream TEXT NOT NULL,
  id TEXT NOT NULL,
  hold TEXT NOT NULL,
  PRIMARY KEY (upstream, id)
) STRICT, WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS batch_file (
  upstream TEXT NOT NULL,
  id TEXT NOT NULL,
  at INTEGER NOT NULL,
  parts TEXT NOT NULL,
  PRIMARY KEY (upstream, id)
) STRICT, WITHOUT ROWID`,
]
