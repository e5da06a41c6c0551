import type { LimitConfig } from '../../schemas/config/config.ts'
import { type PayerScope, payerScope } from '../../schemas/words/payer-scope.ts'

/** A limit as it is configured. Rates are per minute; null: there is none. */
export type LimitRule = {
  readonly name: string
  readonly scope: PayerScope
  readonly requests: number | null
  readonly tokens: number | null
  readonly concurrent: number | null
}

export function limitRule(name: string, config: LimitConfig, share: number): LimitRule {
  const part = (amount: number | undefined) => (amount === undefined ? null : Math.max(1, Math.floor(amount * share)))
  return {
    name,
    scope: payerScope(config.scope),
    requests: part(config.requests_per_minute),
    tokens: part(config.tokens_per_minute),
    concurrent: part(config.concurrent),
  }
}

/** Requests that the bounds of a limit have refused, those of all its subjects. */
export type Refusals = { requests: number; tokens: number; concurrent: number }

/** What one subject of a limit has left. A minute's worth can be used at once, and comes back bit by bit. */
export type Gauge = {
  rule: LimitRule
  readonly subject: string
  readonly refused: Refusals
  requests: number
  /** Below 0 when answers were longer than was expected. */
  tokens: number
  inFlight: number
  /** Monotonic milliseconds. */
  atMs: number
}

const MINUTE_MS = 60_000

export function createGauge(rule: LimitRule, subject: string, refused: Refusals, atMs: number): Gauge {
  return { rule, subject, refused, requests: rule.requests ?? 0, tokens: rule.tokens ?? 0, inFlight: 0, atMs }
}

/** Gives back what has come back by now. */
export function refresh(gauge: Gauge, atMs: number): void {
  const { requests, tokens } = gauge.rule
  const share = Math.max(0, atMs - gauge.atMs) / MINUTE_MS
  gauge.atMs = atMs
  if (requests !== null) gauge.requests = Math.min(requests, gauge.requests + requests * share)
  if (tokens !== null) gauge.tokens = Math.min(tokens, gauge.tokens + tokens * share)
}

/** What is left by now, for readers. */
export function left(gauge: Gauge, atMs: number): Pick<Gauge, 'requests' | 'tokens'> {
  const { rule, refused, subject, requests, tokens, inFlight } = gauge
  const now = { rule, refused, subject, requests, tokens, inFlight, atMs: gauge.atMs }
  refresh(now, atMs)
  return now
}

/** Whether nothing of a limit is used, so that nothing is lost where it is forgotten. */
export function isFull(gauge: Gauge, atMs: number): boolean {
  refresh(gauge, atMs)
  const { requests, tokens } = gauge.rule
  return gauge.inFlight === 0 && gauge.requests >= (requests ?? 0) && gauge.tokens >= (tokens ?? 0)
}

/** How long it takes until a rate has brought `missing` back, in milliseconds. */
export const waitMs = (missing: number, perMinute: number): number =>
  missing <= 0 ? 0 : Math.ceil((missing / perMinute) * MINUTE_MS)
