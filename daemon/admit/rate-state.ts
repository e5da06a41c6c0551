import { type Gauge, waitMs } from './gauge.ts'

/** What is left of a rate; `resetMs`: until all of it is back. */
export type RateState = { readonly limit: number; readonly remaining: number; readonly resetMs: number }
/** The rates that a request came closest to; null: there is none. */
export type RateStates = { readonly requests: RateState | null; readonly tokens: RateState | null }

const NOTHING: RateStates = { requests: null, tokens: null }

/** What is left of the rates that some gauges are of. */
export function statesOf(gauges: readonly Gauge[]): RateStates {
  let { requests, tokens } = NOTHING
  for (const gauge of gauges) {
    requests = closer(requests, gauge.rule.requests, gauge.requests)
    tokens = closer(tokens, gauge.rule.tokens, gauge.tokens)
  }
  return requests === null && tokens === null ? NOTHING : { requests, tokens }
}

function closer(other: RateState | null, limit: number | null, left: number): RateState | null {
  if (limit === null) return other
  const remaining = Math.max(0, Math.floor(left))
  if (other !== null && other.remaining <= remaining) return other
  return { limit, remaining, resetMs: waitMs(limit - left, limit) }
}
