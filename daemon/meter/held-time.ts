/** The time of one backend, in milliseconds: it is shared by all that it answers at a time. */
type Meter = {
  /** Requests that it answers. */
  holders: number
  /** When that number changed last; monotonic. */
  atMs: number
  /** What each request has got that has been there since the first. */
  sharedMs: number
  /** Parts of a micro-dollar that are not booked yet, below 1. */
  rest: number
}

/** What one request holds. The price is that of its beginning. */
export type Held = { readonly meter: Meter; readonly fromMs: number; readonly perHour: number }

export type HeldTime = ReturnType<typeof createHeldTime>

const HOUR_MS = 3_600_000

/**
 * Shares what a backend costs by the hour: of each moment every request that it answers pays the same part, so that all
 * of them together pay for the time in which it answers any, to the micro-dollar. Its idle time is no one's.
 * @param now monotonic milliseconds
 */
export function createHeldTime(now: () => number) {
  const meters = new Map<string, Meter>()

  function meterOf(backend: string): Meter {
    const known = meters.get(backend)
    if (known !== undefined) return known
    const meter = { holders: 0, atMs: now(), sharedMs: 0, rest: 0 }
    meters.set(backend, meter)
    return meter
  }

  return {
    /** A request begins to be answered. End it exactly once. @param perHour micro-dollars, above 0 */
    begin(backend: string, perHour: number): Held {
      const meter = meterOf(backend)
      pass(meter, now())
      if (meter.holders === 0) meter.sharedMs = 0 // small numbers are exact
      meter.holders += 1
      return { meter, fromMs: meter.sharedMs, perHour }
    },
    /** @returns what it pays, in whole micro-dollars; what is left over is paid by one of the next */
    end({ meter, fromMs, perHour }: Held): number {
      pass(meter, now())
      meter.holders -= 1
      const exact = ((meter.sharedMs - fromMs) * perHour) / HOUR_MS + meter.rest
      const whole = Math.floor(exact)
      meter.rest = exact - whole
      return whole
    },
  }
}

/** What a request would pay if it ended now, in whole micro-dollars, rounded up. @param atMs monotonic */
export function heldSoFar({ meter, fromMs, perHour }: Held, atMs: number): number {
  const sharedMs = meter.sharedMs + Math.max(0, atMs - meter.atMs) / Math.max(1, meter.holders)
  return Math.ceil(((sharedMs - fromMs) * perHour) / HOUR_MS)
}

function pass(meter: Meter, atMs: number): void {
  if (meter.holders > 0) meter.sharedMs += Math.max(0, atMs - meter.atMs) / meter.holders
  meter.atMs = atMs
}
