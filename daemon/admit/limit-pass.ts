import type { GateError } from '../../schemas/words/errors.ts'
import type { Gauge } from './gauge.ts'
import { firstRefusal, tokenRefusal } from './limit-refusal.ts'
import type { Destination } from './payer.ts'
import { type RateStates, statesOf } from './rate-state.ts'

/** One request that came to limits. */
export type Pass = {
  /** Why it is not let in; null: it is, until it leaves. */
  readonly refusal: GateError | null
  readonly states: () => RateStates
  /** It asks for about so many tokens there. @returns why it may not; null: it may */
  readonly ask: (to: Destination, tokens: number) => GateError | null
  /** @param tokens what it has used */
  readonly leave: (tokens: number) => void
}

type GaugesAt = (to: Destination) => readonly Gauge[]

/** A class, since there is one for each request: its functions are there once. */
export class LimitPass implements Pass {
  readonly refusal: GateError | null
  readonly #gaugesAt: GaugesAt
  readonly #now: () => number
  #gauges: readonly Gauge[]
  #taken = 0
  #isOver: boolean

  /** @param gaugesAt those of where it goes @param now monotonic milliseconds */
  constructor(gauges: readonly Gauge[], gaugesAt: GaugesAt, now: () => number) {
    this.#gauges = gauges
    this.#gaugesAt = gaugesAt
    this.#now = now
    this.refusal = firstRefusal(gauges, now())
    this.#isOver = this.refusal !== null
    if (!this.#isOver) take(gauges)
  }

  states(): RateStates {
    return statesOf(this.#gauges)
  }

  ask(to: Destination, tokens: number): GateError | null {
    const more = this.#gaugesAt(to)
    const atMs = this.#now()
    const refused =
      firstRefusal(more, atMs) ?? tokenRefusal(this.#gauges, tokens, atMs) ?? tokenRefusal(more, tokens, atMs)
    if (refused !== null) return refused
    take(more)
    if (more.length > 0) this.#gauges = [...this.#gauges, ...more]
    for (const gauge of this.#gauges) gauge.tokens -= tokens
    this.#taken = tokens
    return null
  }

  leave(tokens: number): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const gauge of this.#gauges) {
      gauge.inFlight -= 1
      gauge.tokens += this.#taken - tokens
    }
  }
}

function take(gauges: readonly Gauge[]): void {
  for (const gauge of gauges) {
    gauge.inFlight += 1
    if (gauge.rule.requests !== null) gauge.requests -= 1
  }
}
