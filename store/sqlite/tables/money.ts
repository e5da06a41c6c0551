/** What operators have added to budgets: for one window, and one subject where a budget has a pot for each. */
export const REFILL_TABLE = `CREATE TABLE IF NOT EXISTS budget_refill (
  budget TEXT NOT NULL,
  subject TEXT NOT NULL,
  window_start INTEGER NOT NULL,
  microdollars INTEGER NOT NULL,
  at INTEGER NOT NULL,
  by TEXT NOT NULL
) STRICT`
