import type { UsageRow } from '../daemon/meter/usage.ts'

/** What a usage row consists of and of what kind each value is, in the order of a line of the journal. */
export const USAGE_KINDS = {
  requestId: 'string',
  attempt: 'number',
  startedAt: 'number',
  keyId: 'string',
  model: 'string',
  upstream: 'string',
  targetModel: 'string',
  status: 'number',
  outcome: 'string',
  inputTokens: 'number',
  outputTokens: 'number',
  cachedTokens: 'number',
  reasoningTokens: 'number',
  estimated: 'boolean',
  costMicrodollars: 'number',
  durationMs: 'number',
  ttftMs: 'number or null',
  cacheWriteTokens: 'number',
  unpriced: 'boolean',
  endUser: 'string',
  userId: 'string',
  team: 'string',
  category: 'string',
  provider: 'string',
  teams: 'string',
} as const satisfies { readonly [F in keyof UsageRow]: KindOf<UsageRow[F]> }

/** In brackets: a union is asked as a whole. */
type KindOf<V> = [V] extends [string]
  ? 'string'
  : [V] extends [boolean]
    ? 'boolean'
    : [V] extends [number]
      ? 'number'
      : 'number or null'

export const USAGE_FIELDS = Object.keys(USAGE_KINDS) as readonly (keyof UsageRow)[]

/** Values of the last fields, for lines that were written before there were such fields. */
export const LATER_VALUES: readonly unknown[] = [0, false, '', '', '', '', '', '']

/** The values of a row in the order of USAGE_FIELDS: one by one, since a loop over names takes twice as long. */
export const valuesOf = (row: UsageRow) =>
  [
    row.requestId,
    row.attempt,
    row.startedAt,
    row.keyId,
    row.model,
    row.upstream,
    row.targetModel,
    row.status,
    row.outcome,
    row.inputTokens,
    row.outputTokens,
    row.cachedTokens,
    row.reasoningTokens,
    row.estimated,
    row.costMicrodollars,
    row.durationMs,
    row.ttftMs,
    row.cacheWriteTokens,
    row.unpriced,
    row.endUser,
    row.userId,
    row.team,
    row.category,
    row.provider,
    row.teams,
  ] as const
