import { GateError } from '../../schemas/words/errors.ts'
import type { Named } from './allowed.ts'
import {
  hindrance,
  inOrder,
  type Known,
  loadedFirst,
  preferring,
  type Readiness,
  type Strategy,
  type TargetFacts,
  unfit,
  type Wanted,
} from './choice.ts'
import type { Sessions } from './sessions.ts'
import type { Target, TargetHealth } from './target-health.ts'

/** What a name of a model leads to. */
export type Route = Named & {
  readonly strategy: Strategy
  /** Requests of one session stay together; never those that are to try the targets as written. */
  readonly isSticky?: boolean
  /** What is loaded comes first, and then what comes first in `targets`. */
  readonly isLoadedFirst?: boolean
  readonly targets: readonly Target[]
}

export type ChoosingParts = {
  readonly health: Pick<TargetHealth, 'load' | 'order'>
  /** A number from 0 to 1. */
  readonly random: () => number
  readonly factsOf: (target: Target) => TargetFacts
  readonly sessions: Sessions
  readonly readinessOf: (upstream: string) => Readiness
  readonly isUpstream: (name: string) => boolean
}

/** No request asks more. */
export const MOST_TARGETS = 8

/** What becomes of the targets of a request. */
export type Choice = {
  /** In the order in which they are asked. */
  readonly targets: readonly Target[]
  /** Those that are not asked, and why. */
  readonly left: ReadonlyMap<Target, string>
  /** The one at which the requests of its session stay; null: none. */
  readonly stays: Target | null
}

export type Choosing = ReturnType<typeof createChoosing>

/** Chooses among the targets of models. */
export function createChoosing({ health, random, factsOf, sessions, readinessOf, isUpstream }: ChoosingParts) {
  const readiness = ({ upstream }: Target) => readinessOf(upstream)
  const isAwake = (target: Target) => readiness(target) === 'loaded' || readiness(target) === 'starting'

  /** A provider that routes by itself may know the names that nothing is called here. */
  function unfitHere(target: Target, wanted: Wanted): string | null {
    const facts = factsOf(target)
    const isForOthers = facts.isRouter === true && wanted.only?.some((name) => !isUpstream(name)) === true
    return unfit(target, facts, isForOthers ? { ...wanted, only: null } : wanted)
  }

  /** Of the targets that can serve a request, all or those that do better than the others. */
  function sifted(targets: readonly Target[], wanted: Wanted) {
    const left = new Map<Target, string>()
    const possible = targets.filter((target) => {
      const why = unfitHere(target, wanted)
      if (why !== null) left.set(target, why)
      return why === null
    })
    if (possible.length < 2) return { fit: possible, left }
    const hindered = new Map<Target, string>()
    for (const target of possible) {
      const why = hindrance(factsOf(target), wanted)
      if (why !== null) hindered.set(target, `${why}; others do better`)
    }
    if (hindered.size === 0 || hindered.size === possible.length) return { fit: possible, left }
    return { fit: possible.filter((target) => !hindered.has(target)), left: new Map([...left, ...hindered]) }
  }

  function inTurn(route: Route, strategy: Strategy, targets: readonly Target[]): readonly Target[] {
    const known = targets.map((target): Known => ({ target, facts: factsOf(target) }))
    // of two that cost the same the one that is loaded
    if (strategy === 'cost') {
      return inOrder(
        strategy,
        loadedFirst(known, ({ target }) => readiness(target)),
        health,
        random,
      )
    }
    const turns = inOrder(strategy, known, health, random)
    const isLoadedFirst = strategy === 'latency' || (strategy === 'fallback' && route.isLoadedFirst === true)
    return isLoadedFirst ? loadedFirst(turns, readiness) : turns
  }

  /** Where requests of its session are, for which something is kept there, as long as it runs. */
  function placeOf(wanted: Wanted, session: string | null, targets: readonly Target[]): Target | null {
    const { servedBy } = wanted
    const isServer = ({ upstream, model }: Target) => upstream === servedBy?.upstream && model === servedBy.model
    const served = servedBy === null ? undefined : targets.find(isServer)
    const place = served ?? (session === null ? undefined : sessions.placeOf(session, targets))
    return place !== undefined && isAwake(place) ? place : null
  }

  /**
   * @param routes of the model that is named, and of those to try after it
   * @param look whether this is no request: nothing is remembered of it
   * @throws GateError BAD_REQUEST when no target takes what the request holds
   */
  function choose(model: string, routes: readonly [Route, ...Route[]], wanted: Wanted, look: boolean): Choice {
    const [route] = routes
    const all = routes.length === 1 ? route.targets : routes.flatMap(({ targets }) => targets)
    const [sole] = all
    if (sole !== undefined && all.length === 1 && unfitHere(sole, wanted) === null) return alone(all)
    const { fit, left } = sifted(all, wanted)
    if (fit.length === 0) throw noneFits(model, left)
    if (fit.length === 1) return { targets: fit, left, stays: null }
    const strategy = wanted.strategy ?? route.strategy
    const groups = wanted.isAcrossModels ? [{ ...route, targets: all }] : routes
    const turns = groups.flatMap((group) => {
      const own = group.targets.filter((target) => fit.includes(target))
      return inTurn(group, wanted.strategy ?? group.strategy, own)
    })
    const preferred = preferring(turns, wanted.order)
    const keepsSessions = route.isSticky === true && strategy !== 'fallback'
    const mayStay = keepsSessions && wanted.order.length === 0
    const session = keepsSessions && wanted.session !== null ? `${model} ${wanted.session}` : null
    const own = mayStay ? route.targets.filter((target) => fit.includes(target)) : []
    const stays = placeOf(wanted, session, own)
    const asked = stays === null ? preferred : [stays, ...preferred.filter((target) => target !== stays)]
    const targets = health.order(asked, look)
    const [first] = targets
    if (!look && session !== null && first !== undefined) sessions.note(session, first)
    return { targets: targets.slice(0, wanted.isAlone ? 1 : MOST_TARGETS), left, stays }
  }

  return { choose, unfitHere }
}

const NOTHING_LEFT: Choice['left'] = new Map()
const alone = (targets: readonly Target[]): Choice => ({ targets, left: NOTHING_LEFT, stays: null })

function noneFits(model: string, left: ReadonlyMap<Target, string>): GateError {
  const [why = 'it has none'] = left.values()
  return new GateError('BAD_REQUEST', `no target of "${model.slice(0, 200)}" can serve this request: ${why}`)
}
