import { GateError } from '../../schemas/words/errors.ts'
import { type Gauge, type Refusals, refresh, waitMs } from './gauge.ts'

/** Of a limit that has too many subjects, those that share one gauge. */
export const OTHERS = '*'

/** What has come back in a shorter time is not worth counting, unless it is needed. */
const REFRESH_MS = 50
const MS_PER_S = 1_000

/** Why a request is not let in by one of these; null: it is. @param atMs monotonic */
export function firstRefusal(gauges: readonly Gauge[], atMs: number): GateError | null {
  for (const gauge of gauges) {
    if (atMs - gauge.atMs > REFRESH_MS || gauge.requests < 1 || gauge.tokens <= 0) refresh(gauge, atMs)
    const { rule, inFlight, requests, tokens } = gauge
    if (rule.concurrent !== null && inFlight >= rule.concurrent)
      return refusal(gauge, 'concurrent', `${rule.concurrent} requests at a time`, MS_PER_S)
    if (rule.requests !== null && requests < 1)
      return refusal(gauge, 'requests', `${rule.requests} requests per minute`, waitMs(1 - requests, rule.requests))
    if (rule.tokens !== null && tokens <= 0)
      return refusal(gauge, 'tokens', `${rule.tokens} tokens per minute`, waitMs(1 - tokens, rule.tokens))
  }
  return null
}

/** The same of tokens: more than there are in a minute wait until all of them are there. */
export function tokenRefusal(gauges: readonly Gauge[], wanted: number, atMs: number): GateError | null {
  for (const gauge of gauges) {
    const { rule } = gauge
    if (rule.tokens === null || wanted <= gauge.tokens) continue
    refresh(gauge, atMs)
    const missing = Math.min(wanted, rule.tokens) - gauge.tokens
    if (missing > 0) return refusal(gauge, 'tokens', `${rule.tokens} tokens per minute`, waitMs(missing, rule.tokens))
  }
  return null
}

function refusal({ rule, subject, refused }: Gauge, of: keyof Refusals, allowed: string, wait: number): GateError {
  const { name, scope } = rule
  refused[of] += 1
  const whom = scope.kind === 'each' && subject !== OTHERS ? ` for each ${WORDS[scope.what]}` : ''
  const retryAfterS = Math.max(1, Math.ceil(wait / MS_PER_S))
  return new GateError('TOO_MANY_REQUESTS', `limit "${name}" allows ${allowed}${whom}; try again in ${retryAfterS} s`, {
    retryAfterS,
  })
}

const WORDS = {
  key: 'key',
  user: 'person',
  team: 'team',
  model: 'model',
  provider: 'provider',
  ip: 'address',
} as const
