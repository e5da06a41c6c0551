/** A place a request can go: an upstream, and the id its model has there. */
export type Target = {
  readonly upstream: string
  readonly model: string
  readonly weight: number
  /** Path of a URL of its own, at the host of the upstream; absent: the upstream's. */
  readonly basePath?: string
  /** What is changed in requests for it; absent: nothing but what its upstream says. */
  readonly tuning?: TargetTuning
  /** A text that breaks off there goes on at the next target. */
  readonly goesOn?: boolean
}

/** As `Tuning` of translate/ has it. */
type TargetTuning = {
  readonly parameters: readonly {
    readonly name: string
    readonly default?: string | number | boolean | undefined
    readonly json?: string | undefined
    readonly drop?: boolean | undefined
  }[]
  readonly systemPrefixes: readonly string[]
}

/** A failed target rests this long, doubled with each rest in a row. */
const FIRST_REST_MS = 1_000
const LONGEST_REST_MS = 60_000
/** How long a probe is waited for before the next one is sent. */
const PROBE_MS = 10_000
/**
 * How fast a measured latency is forgotten (peak EWMA): a target that gets slow is believed at once, one that gets faster
 * little by little, and one that nobody asks any more is given another chance.
 */
const DECAY_MS = 60_000
/** So many are remembered: names are the clients' to choose, the memory is not. */
const MOST_TARGETS = 10_000
/** What a target is taken for that was asked, but never measured: not every request goes there before it has answered. */
const UNMEASURED_MS = 60_000

type Health = {
  failures: number
  restUntil: number
  probeUntil: number
  latencyMs: number
  measuredAt: number
  inFlight: number
}

/** How a target does. `latencyMs`: to the first byte, as it counts now; 0: it was never measured. */
export type HealthReport = {
  readonly isWell: boolean
  /** 0: it does not rest; one that is not well is then tried by the next request. */
  readonly restMs: number
  readonly latencyMs: number
  readonly inFlight: number
}

export type TargetHealth = ReturnType<typeof createTargetHealth>

/**
 * How each target did lately. A target that failed rests: it is tried last. When its rest is over, one request probes
 * it, and the others go elsewhere until that one has an answer.
 * @param now monotonic milliseconds
 */
export function createTargetHealth(now: () => number) {
  /** By upstream and model. */
  const healths = new Map<string, Map<string, Health>>()
  let count = 0
  const healthOf = ({ upstream, model }: Target): Health =>
    healths.get(upstream)?.get(model) ?? newHealth(upstream, model)

  function newHealth(upstream: string, model: string): Health {
    if (count >= MOST_TARGETS) {
      healths.clear()
      count = 0
    }
    const fresh = { failures: 0, restUntil: 0, probeUntil: 0, latencyMs: 0, measuredAt: 0, inFlight: 0 }
    const ofUpstream = healths.get(upstream) ?? new Map<string, Health>()
    healths.set(upstream, ofUpstream.set(model, fresh))
    count += 1
    return fresh
  }

  const isWell = (target: Target) => healthOf(target).failures === 0
  /** What is left of a measurement after the time that has passed since. */
  const leftOf = ({ measuredAt }: Health, time: number) => Math.exp((measuredAt - time) / DECAY_MS)
  const latencyNow = (health: Health) => health.latencyMs * leftOf(health, now())

  return {
    /** @param latencyMs time to the first byte; null: it answered, but not what counts as fast or slow */
    succeeded(target: Target, latencyMs: number | null): void {
      const health = healthOf(target)
      health.failures = 0
      health.restUntil = 0
      health.probeUntil = 0
      if (latencyMs === null) return
      const time = now()
      const left = leftOf(health, time)
      health.latencyMs = Math.max(latencyMs, health.latencyMs * left + latencyMs * (1 - left))
      health.measuredAt = time
    },
    /** @param retryAfterMs what the upstream asked for, or null */
    failed(target: Target, retryAfterMs: number | null): void {
      const health = healthOf(target)
      const time = now()
      health.probeUntil = 0
      // requests that were on their way when it began to rest say nothing new
      if (health.restUntil > time && retryAfterMs === null) return
      const restMs = retryAfterMs ?? FIRST_REST_MS * 2 ** health.failures
      if (health.restUntil <= time) health.failures = Math.min(health.failures + 1, 10)
      health.restUntil = Math.max(health.restUntil, time + Math.min(restMs, LONGEST_REST_MS))
    },
    /** A request ended without showing how the target is; if it was the probe, the next request takes its place. */
    undecided(target: Target): void {
      healthOf(target).probeUntil = 0
    },
    latencyMs: (target: Target): number => latencyNow(healthOf(target)),
    /** A request goes there; every one ends once. */
    begins(target: Target): void {
      healthOf(target).inFlight += 1
    },
    ends(target: Target): void {
      const health = healthOf(target)
      health.inFlight = Math.max(0, health.inFlight - 1)
    },
    /** How long a further request would take there, about; 0 where nothing was measured yet, and nobody asks. */
    load(target: Target): number {
      const health = healthOf(target)
      return health.latencyMs === 0 ? health.inFlight * UNMEASURED_MS : latencyNow(health) * (1 + health.inFlight)
    },
    report(target: Target): HealthReport {
      const health = healthOf(target)
      return {
        isWell: health.failures === 0,
        restMs: Math.max(0, health.restUntil - now()),
        latencyMs: latencyNow(health),
        inFlight: health.inFlight,
      }
    },
    /**
     * The targets in the order in which a request tries them: as given, with those that failed last. One whose rest is
     * over keeps its place at the head for this one request, which is its probe.
     * @param look whether this is no request, and so no probe
     */
    order(targets: readonly Target[], look = false): readonly Target[] {
      if (targets.every(isWell)) return targets
      const time = now()
      const isDue = (target: Target) => Math.max(healthOf(target).restUntil, healthOf(target).probeUntil) <= time
      const first = targets.find((target) => isWell(target) || isDue(target))
      if (first === undefined) return targets
      if (!isWell(first) && !look) healthOf(first).probeUntil = time + PROBE_MS
      const others = targets.filter((target) => target !== first)
      return [first, ...others.filter(isWell), ...others.filter((target) => !isWell(target))]
    },
  }
}
