/** What spending is told apart by, in the tables `usage` and `spent_hour`. */
export const SPENT_COLUMNS = ['key_id', 'user_id', 'team', 'teams', 'model', 'target_model', 'upstream'] as const

/** The length of an hour, whose beginning is Unix milliseconds. */
export const SPENT_HOUR_MS = 3_600_000

/**
 * What was spent, by the hour and all that budgets tell it apart by: from the hour on that `spent_since` says, every row
 * of the table `usage` is in it, also one that is gone since.
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

/** In the database, so that an earlier version, which knows nothing of it, counts as well after a rollback. */
export const SPENT_TRIGGER = `CREATE TRIGGER IF NOT EXISTS spent_of_usage AFTER INSERT ON usage
WHEN NEW.cost_microdollars > 0
BEGIN
  INSERT INTO spent_hour (hour, ${SPENT_COLUMNS.join(', ')}, microdollars)
  VALUES (NEW.started_at - NEW.started_at % ${SPENT_HOUR_MS}, ${SPENT_COLUMNS.map((name) => `NEW.${name}`).join(', ')},
    NEW.cost_microdollars)
  ON CONFLICT DO UPDATE SET microdollars = microdollars + excluded.microdollars;
END`
