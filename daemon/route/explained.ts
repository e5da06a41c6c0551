import { GateError } from '../../schemas/words/errors.ts'
import { costOf, type Readiness, type TargetFacts, type Wanted } from './choice.ts'
import { type Choice, type Choosing, MOST_TARGETS, type Route } from './choosing.ts'
import type { HealthReport, Target, TargetHealth } from './target-health.ts'

/** One target of a model, and why it comes where it does. */
export type Explained = {
  readonly upstream: string
  readonly model: string
  /** From 1: its turn; null: it is not asked. */
  readonly turn: number | null
  readonly why: string
  /** Requests of the same session were here before, and stay. */
  readonly stays: boolean
  /** null: it is not among the targets that can be asked at all. It rests, too, while none of its keys may be used. */
  readonly health: HealthReport | null
  readonly weight: number
  readonly price: NonNullable<TargetFacts['price']> | null
  /** null: it is no backend. */
  readonly readiness: Readiness | null
}

type Parts = {
  readonly health: Pick<TargetHealth, 'report'>
  readonly factsOf: (target: Target) => TargetFacts
  readonly readinessOf: (upstream: string) => Readiness
  readonly isBackend: (name: string) => boolean
  /** How long none of the keys of an upstream may be used; 0: one may. */
  readonly keysRestMs: (upstream: string) => number
  readonly choosing: Choosing
}

type Missing = { readonly upstream: string; readonly model: string; readonly weight: number }

/**
 * Every target of some models in the order in which a request would ask them, then those that it would not.
 * @param missing targets whose upstream is not there
 */
export function explainedTargets(
  parts: Parts,
  model: string,
  routes: readonly [Route, ...Route[]],
  wanted: Wanted,
  missing: readonly Missing[],
): readonly Explained[] {
  const { targets, left, stays } = chosenOrNot(parts, model, routes, wanted)
  const strategyOf = (target: Target) =>
    wanted.strategy ?? routes.find((route) => route.targets.includes(target))?.strategy ?? routes[0].strategy

  function explained(target: Target, turn: number | null, reason: string | null): Explained {
    const { upstream, model: id, weight } = target
    const health = parts.health.report(target)
    const { price = null } = parts.factsOf(target)
    const readiness = parts.isBackend(upstream) ? parts.readinessOf(upstream) : null
    const strategy = strategyOf(target)
    const keysRestMs = parts.keysRestMs(upstream)
    const why = [
      stateOf(health, keysRestMs),
      health.latencyMs === 0 ? 'not measured' : `${Math.round(health.latencyMs)} ms to the first byte`,
      `${health.inFlight} in flight`,
      ...(strategy === 'cost' ? [costSaid(costOf(parts.factsOf(target)))] : []),
      ...(strategy === 'weighted' ? [`weight ${weight}`] : []),
      ...(readiness === null ? [] : [readiness]),
      ...(target === stays ? ['its session stays here'] : []),
    ]
    return {
      upstream,
      model: id,
      turn,
      why: reason ?? why.join(', '),
      stays: target === stays,
      health: { ...health, restMs: Math.max(health.restMs, keysRestMs) },
      weight,
      price,
      readiness,
    }
  }

  const why = wanted.isAlone
    ? 'the request allows no second target'
    : `no request asks more than ${MOST_TARGETS} targets`
  const further = routes.flatMap((route) => route.targets).filter((one) => !targets.includes(one) && !left.has(one))
  return [
    ...targets.map((target, at) => explained(target, at + 1, null)),
    ...further.map((target) => explained(target, null, why)),
    ...[...left].map(([target, reason]) => explained(target, null, reason)),
    ...missing.map(({ upstream, model: id, weight }) => ({
      upstream,
      model: id,
      turn: null,
      why: 'the upstream is disabled or does not exist',
      stays: false,
      health: null,
      weight,
      price: null,
      readiness: null,
    })),
  ]
}

function chosenOrNot({ choosing }: Parts, model: string, routes: readonly [Route, ...Route[]], wanted: Wanted): Choice {
  try {
    return choosing.choose(model, routes, wanted, true)
  } catch (error) {
    if (!(error instanceof GateError)) throw error
    const targets = routes.flatMap((route) => route.targets)
    const left = new Map(targets.map((target) => [target, choosing.unfitHere(target, wanted) ?? error.message]))
    return { targets: [], left, stays: null }
  }
}

function stateOf({ isWell, restMs }: HealthReport, keysRestMs: number): string {
  if (keysRestMs > restMs) return `all of its keys rest or have reached their limit, ${Math.ceil(keysRestMs / 1_000)} s`
  if (isWell) return 'well'
  return restMs > 0 ? `rests ${Math.ceil(restMs / 1_000)} s` : 'to be probed'
}

const costSaid = (cost: number): string =>
  cost === Number.MAX_VALUE ? 'its price is not known' : `${cost} micro-dollars`
