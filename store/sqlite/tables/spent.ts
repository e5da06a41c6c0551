/** What spending is told apart by, in the tables `usage` and `spent_hour`. */
export const SPENT_COLUMNS = ['key_id', 'user_id', 'team', 'teams', 'model', 'target_model', 'upstream'] as const

/** The length of an hour, whose beginning is Unix milliseconds. */
export const SPENT_HOUR_MS = 3_600_000

/**
 * What was spent, by the hour and all that budgets tell it apart by: from the hour on that `spent_since` says, every row
 * of the table `usage` whose `rolled_up` is 1 is in it, also one that is gone since.
 */
export const SPENT_TABLES = [
  `CREATE TABLE IF NOT EXISTS spent_hour (
  hour INTEGER NOT NULL,
  ${SPENT_COLUMNS.map((name) => `${name} TEXT NOT NULL`).join(',\n  ')},
  microdollars INTEGER NOT NULL,
  PRIMARY KEY (hour, ${SPENT_COLUMNS.join(', ')})
) STRICT, WITHOUT ROWID`,
  'CREATE TABLE IF NOT EXISTS spent_since (hour INTEGER NOT NULL) STRICT',
]
