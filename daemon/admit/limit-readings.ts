import { type Gauge, type LimitRule, left, type Refusals } from './gauge.ts'

type Entry = { readonly rule: LimitRule; readonly bySubject: ReadonlyMap<string, Gauge>; readonly refused: Refusals }

/** How one bound of a limit stands. */
export type LimitReading = {
  readonly name: string
  readonly of: keyof Refusals
  /** Share that is used, of the subject that is closest to it; above 1 where answers were longer than was expected. */
  readonly usedRatio: number
  /** Requests that it has refused since the start. */
  readonly refused: number
}

/** How each bound of each limit stands. @param atMs monotonic */
export function limitReadings(entries: readonly Entry[], atMs: number): readonly LimitReading[] {
  return entries.flatMap(({ rule, bySubject, refused }) => {
    const most = { requests: 0, tokens: 0, concurrent: 0 }
    for (const gauge of bySubject.values()) {
      const { requests, tokens } = left(gauge, atMs)
      if (rule.requests !== null) most.requests = Math.max(most.requests, 1 - requests / rule.requests)
      if (rule.tokens !== null) most.tokens = Math.max(most.tokens, 1 - tokens / rule.tokens)
      if (rule.concurrent !== null) most.concurrent = Math.max(most.concurrent, gauge.inFlight / rule.concurrent)
    }
    const { name } = rule
    const bounds = ['requests', 'tokens', 'concurrent'] as const
    return bounds
      .filter((of) => rule[of] !== null)
      .map((of) => ({ name, of, usedRatio: most[of], refused: refused[of] }))
  })
}
