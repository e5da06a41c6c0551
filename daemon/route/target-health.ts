/** A place a request can go: an upstream, and the id its model has there. */
export type Target = { readonly upstream: string; readonly model: string; readonly weight: number }

/** A failed target rests this long, doubled with each failure in a row. */
const FIRST_REST_MS = 1_000
const LONGEST_REST_MS = 60_000
/** Weight of the newest measurement in the moving average of latency. */
const SMOOTHING = 0.2

type Health = { failures: number; restUntil: number; latencyMs: number }

export type TargetHealth = ReturnType<typeof createTargetHealth>

/**
 * How each target did lately. A target that failed rests: it is tried last until its rest is over, then the next
 * request probes it. @param now monotonic milliseconds
 */
export function createTargetHealth(now: () => number) {
  const healths = new Map<string, Health>()
  const healthOf = (target: Target): Health => {
    const key = `${target.upstream}/${target.model}`
    const known = healths.get(key)
    if (known !== undefined) return known
    if (healths.size >= 10_000) healths.clear() // names are the clients' to choose; the memory is not
    const fresh = { failures: 0, restUntil: 0, latencyMs: 0 }
    healths.set(key, fresh)
    return fresh
  }

  return {
    /** @param latencyMs time to the first byte */
    succeeded(target: Target, latencyMs: number): void {
      const health = healthOf(target)
      health.failures = 0
      health.restUntil = 0
      health.latencyMs += (latencyMs - health.latencyMs) * (health.latencyMs === 0 ? 1 : SMOOTHING)
    },
    /** @param retryAfterMs what the upstream asked for, or null */
    failed(target: Target, retryAfterMs: number | null): void {
      const health = healthOf(target)
      const restMs = retryAfterMs ?? FIRST_REST_MS * 2 ** health.failures
      health.failures = Math.min(health.failures + 1, 10)
      health.restUntil = now() + Math.min(restMs, LONGEST_REST_MS)
    },
    latencyMs: (target: Target): number => healthOf(target).latencyMs,
    /** The same targets, those that rest last, the order otherwise kept. */
    sort(targets: readonly Target[]): readonly Target[] {
      const time = now()
      const resting = (target: Target) => healthOf(target).restUntil > time
      if (!targets.some(resting)) return targets
      const awake = targets.filter((target) => !resting(target))
      // the one that is due for a probe is tried first again: its rest is over, so it is not in here
      return [...awake, ...targets.filter(resting)]
    },
  }
}
