/** Answers that took at least 2^(n/2) ms, and less than those of the next column. */
export const DURATION_COLUMNS = Array.from({ length: 40 }, (_, n) => `d${n}`)

/** What is added up, of all attempts of a time. */
export const COUNT_COLUMNS = [
  'attempts',
  'requests',
  'answered',
  'cancelled',
  'estimated',
  'unpriced',
  'input_tokens',
  'output_tokens',
  'cached_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'cost_microdollars',
  'duration_ms',
] as const

/** What attempts of the same time are told apart by. */
export const GROUP_COLUMNS = [
  'key_id',
  'user_id',
  'team',
  'end_user',
  'model',
  'category',
  'upstream',
  'provider',
] as const

/** The roll-ups: a row for each hour, or day in UTC, and all that is told apart. */
export const ROLL_UPS = [
  { table: 'usage_hour', begin: 'hour', lengthMs: 3_600_000 },
  { table: 'usage_day', begin: 'day', lengthMs: 86_400_000 },
] as const
export type RollUp = (typeof ROLL_UPS)[number]

/**
 * Every row of the table `usage` whose `rolled_up` is 1 is counted once in each of them. `hour` and `day` are beginnings,
 * Unix milliseconds. `requests` are first attempts, `answered` attempts that ended well.
 */
export const ROLL_UP_TABLES = ROLL_UPS.map(
  ({ table, begin }) => `CREATE TABLE IF NOT EXISTS ${table} (
  ${[
    `${begin} INTEGER NOT NULL`,
    ...GROUP_COLUMNS.map((name) => `${name} TEXT NOT NULL`),
    ...[...COUNT_COLUMNS, ...DURATION_COLUMNS].map((name) => `${name} INTEGER NOT NULL`),
    `PRIMARY KEY (${[begin, ...GROUP_COLUMNS].join(', ')})`,
  ].join(',\n  ')}
) STRICT, WITHOUT ROWID`,
)

/**
 * The usage log for people who write SQL: a row for each request, `created_at` as SQLite's functions write times, in
 * UTC. `user_id` is the person, else the key.
 */
export const USAGE_LOG_VIEW = `CREATE VIEW IF NOT EXISTS usage_log AS
SELECT
  request_id,
  CASE user_id WHEN '' THEN key_id ELSE user_id END AS user_id,
  key_id,
  team AS team_id,
  model AS model_id,
  category AS category_id,
  SUM(input_tokens) AS input_tokens,
  SUM(output_tokens) AS output_tokens,
  SUM(duration_ms) AS latency_ms,
  SUM(cost_microdollars) AS cost_microdollars,
  strftime('%Y-%m-%d %H:%M:%S', MIN(started_at) / 1000, 'unixepoch') AS created_at
FROM usage
GROUP BY request_id`
