import type { UsageCounts, UsageGroup, UsagePoint } from '../../../schemas/admin-usage.ts'
import { adminUsageQuery, USAGE_ANSWERS, type USAGE_PERIODS, userUsageQuery } from '../../../schemas/api/usage.ts'
import type { Principal } from '../../auth/principal.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { sinceOf } from '../since.ts'

/** What was used, with the ids of keys, people and teams. */
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

type Wanted = {
  readonly since: number
  readonly until: number
  readonly of?: { readonly userId: string } | { readonly keyId: string }
}

export type UsageParts = {
  /** @param wanted times are Unix milliseconds @param signal ends it @throws Error why it cannot be read */
  readonly usage: (wanted: Wanted, signal: AbortSignal) => Promise<UsedSince>
  /** Names of keys, people and teams, by id. */
  readonly namesOf: () => Readonly<Record<'keys' | 'people' | 'teams', ReadonlyMap<string, string>>>
  /** Unix milliseconds. */
  readonly now: () => number
}

/** The period that is reported when none is asked for. */
const USUAL_PERIOD = '24h'

/** Names of what is no stored key. @see daemon/auth/principal.ts */
const OTHER_KEYS: ReadonlyMap<string, string> = new Map([
  ['system', 'auth.token'],
  ['none', 'auth.mode none'],
])

const HOUR_MS = 3_600_000
const PERIOD_MS = {
  hour: HOUR_MS,
  day: 24 * HOUR_MS,
  week: 7 * 24 * HOUR_MS,
  month: 30 * 24 * HOUR_MS,
} as const satisfies Record<(typeof USAGE_PERIODS)[number], number>

/** What was used: by all, and by the caller. */
export function usageRoutes(parts: UsageParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/api/admin/usage',
      scope: 'admin',
      summary: 'Reports requests, tokens and costs by model, key, upstream, person, team and category',
      query: adminUsageQuery,
      answer: USAGE_ANSWERS['GET /api/admin/usage'],
      handle: async ({ query, signal }) => {
        const until = parts.now()
        return json(await reported(parts, { since: sinceOf(query.since ?? USUAL_PERIOD, until), until }, signal))
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/api/user/usage',
      scope: 'signed-in',
      summary: 'Reports what the caller has used: all keys of a person, or a service key',
      query: userUsageQuery,
      answer: USAGE_ANSWERS['GET /api/user/usage'],
      handle: async ({ query: { period }, principal, signal }) => {
        const until = parts.now()
        const since = until - PERIOD_MS[period]
        return json(await reported(parts, { since, until, of: ownOf(principal) }, signal))
      },
    }),
  ]
}

const ownOf = ({ userId, keyId }: Principal) => (userId === null ? { keyId } : { userId })

async function reported({ usage, namesOf }: UsageParts, wanted: Wanted, signal: AbortSignal) {
  const report = await usage(wanted, signal)
  const names = namesOf()
  const named = (groups: readonly UsageGroup[], known: ReadonlyMap<string, string>) =>
    groups.map((group) => ({ ...group, id: group.name, name: known.get(group.name) ?? group.name }))
  return {
    since: new Date(wanted.since).toISOString(),
    until: new Date(wanted.until).toISOString(),
    ...report,
    keys: named(report.keys, new Map([...OTHER_KEYS, ...names.keys])),
    people: named(report.people, names.people),
    teams: named(report.teams, names.teams),
  }
}
