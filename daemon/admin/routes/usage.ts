import type { AdminAnswers } from '../../../schemas/admin.ts'
import type { UsageCounts, UsageGroup, UsagePoint } from '../../../schemas/admin-usage.ts'
import { durationMs } from '../../../schemas/config/values.ts'
import { isCalendarDay } from '../../../schemas/words/calendar-day.ts'
import { AdminError } from '../error.ts'

/** What was used, with the ids of keys. */
type UsedSince = {
  readonly total: UsageCounts
  readonly models: UsageGroup[]
  readonly keys: readonly UsageGroup[]
  readonly upstreams: UsageGroup[]
  readonly users: UsageGroup[]
  readonly people: readonly UsageGroup[]
  readonly teams: readonly UsageGroup[]
  readonly categories: UsageGroup[]
  readonly series: UsagePoint[]
  /** Why the last rows are missing. */
  readonly incomplete?: string
}

type WantedUsage = {
  readonly since: number
  readonly until: number
  readonly of?: { readonly userId: string } | { readonly keyId: string }
}

export type UsageParts = {
  /** @param wanted times are Unix milliseconds @param signal ends it @throws Error why it cannot be read */
  readonly usage: (wanted: WantedUsage, signal: AbortSignal) => Promise<UsedSince>
}

type Around = {
  readonly tokens: { list(): readonly { readonly id: string; readonly name: string }[] }
  /** Unix milliseconds. */
  readonly now: () => number
}

/** The period that is reported when none is asked for. */
const USUAL_PERIOD = '24h'

/** Names of what is no stored key. @see daemon/auth/tokens.ts */
const OTHER_KEYS = { system: 'auth.token', none: 'auth.mode none' }

export async function usage(
  parts: UsageParts & Around,
  { query, signal }: { readonly query: URLSearchParams; readonly signal: AbortSignal },
): Promise<AdminAnswers['GET /v1/usage']> {
  const until = parts.now()
  const since = startOf(query.get('since') ?? USUAL_PERIOD, until)
  const report = await parts.usage({ since, until }, signal)
  const names = new Map([
    ...Object.entries(OTHER_KEYS),
    ...parts.tokens.list().map(({ id, name }) => [id, name] as const),
  ])
  const keys = report.keys.map((key) => ({ ...key, id: key.name, name: names.get(key.name) ?? key.name }))
  const people = report.people.map((person) => ({ ...person, id: person.name }))
  const teams = report.teams.map((team) => ({ ...team, id: team.name }))
  return { since: new Date(since).toISOString(), until: new Date(until).toISOString(), ...report, keys, people, teams }
}

/** @returns Unix milliseconds @throws AdminError */
function startOf(text: string, now: number): number {
  const day = /^\d{4}-\d{2}-\d{2}/.exec(text)?.[0]
  if (day !== undefined && !isCalendarDay(day))
    throw new AdminError('BAD_REQUEST', `since: ${text} is not a time: there is no such day`, { hint: HINT })
  const at = day === undefined ? now - periodMs(text) : Date.parse(text)
  if (at >= 0 && at <= now) return at
  throw new AdminError('BAD_REQUEST', `since: ${text} is not a time in the past`, { hint: HINT })
}

function periodMs(text: string): number {
  try {
    return durationMs(text)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new AdminError('BAD_REQUEST', `since: ${text} is neither a duration nor a time`, { cause, hint: HINT })
  }
}

const HINT = 'write 24h, 7d, today, or a day such as 2026-11-29'
