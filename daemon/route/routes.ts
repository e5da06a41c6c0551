import type { Allowance } from '../../schemas/words/allowance.ts'
import { GateError } from '../../schemas/words/errors.ts'
import { mayUse, mayUseSome } from './allowed.ts'
import { ANYWHERE, type Readiness, type Strategy, type TargetFacts, type Wanted } from './choice.ts'
import { createChoosing, type Route } from './choosing.ts'
import { type Explained, explainedTargets } from './explained.ts'
import { nearNames } from './near-names.ts'
import { type ListedModel, type RouteModel, type RouteUpstream, routeTable } from './route-table.ts'
import { createSessions, type Sessions } from './sessions.ts'
import type { Target, TargetHealth } from './target-health.ts'

/** Where requests for a model go, and why. */
export type Explanation = {
  readonly strategy: Strategy
  /** A category: what is loaded comes before what is not. */
  readonly isLoadedFirst: boolean
  readonly targets: readonly Explained[]
}

export type Routes = ReturnType<typeof createRoutes>
/** As one key sees them. */
export type KeyRoutes = ReturnType<Routes['of']>

/**
 * What clients may ask for, and which targets that means, worked out once per change of configuration or of what the
 * upstreams serve. A key that is pinned to a model gets that one, whatever it asks for.
 * @param random a number from 0 to 1 @param lookUp what is known of a target @param sessions where sessions are
 * @param readinessOf how soon an upstream can begin to answer
 */
export function createRoutes(
  models: Readonly<Record<string, RouteModel>>,
  upstreams: readonly RouteUpstream[],
  health: TargetHealth,
  random: () => number,
  lookUp: (target: Target) => TargetFacts = () => ({}),
  sessions: Sessions = createSessions(),
  readinessOf: (upstream: string) => Readiness = () => 'loaded',
) {
  const { routes, listed, usable } = routeTable(models, upstreams)
  /** Looked up once: what is known changes when the routes are made anew. null: not yet. */
  const facts = new Map<Target, TargetFacts | null>()
  for (const { targets } of routes.values()) for (const target of targets) facts.set(target, null)

  function factsOf(target: Target): TargetFacts {
    const known = facts.get(target)
    if (known !== undefined && known !== null) return known
    const found = lookUp(target)
    if (known === null) facts.set(target, found) // any other target is made for one request, and not kept
    return found
  }

  const openUpstreams = new Set(upstreams.filter(({ open }) => open).map(({ name }) => name))

  /** What a key may not use is not there for it. */
  function find(model: string, allowed: Allowance | null): Route | null {
    const route = routes.get(model) ?? routes.get(otherName(model)) ?? ofOpenUpstream(model)
    return route !== null && mayUse(allowed, route) ? route : null
  }

  function ofOpenUpstream(model: string): Route | null {
    const slash = model.indexOf('/')
    const upstream = model.slice(0, slash)
    if (slash < 1 || slash === model.length - 1 || !openUpstreams.has(upstream)) return null
    const targets = [{ upstream, model: model.slice(slash + 1), weight: 1 }]
    return { strategy: 'fallback', targets, names: [model] }
  }

  function unknownModel(model: string, allowed: Allowance | null): GateError {
    const names = allowed === null ? routes.keys() : [...routes.keys()].filter((name) => find(name, allowed) !== null)
    const near = nearNames(model, names)
    const hint = near.length > 0 ? `did you mean ${near.map((n) => `"${n}"`).join(', ')}?` : 'see GET /v1/models'
    const silent = upstreams
      .filter(({ name, open, models: ids }) => open && ids.length === 0 && mayUseSome(allowed, name))
      .slice(0, 3)
    const more = silent.map(({ name }) => `; "${name}" lists no models: ask for "${name}/MODEL"`).join('')
    const what = `no model "${model.slice(0, 200)}"${allowed === null ? '' : ' that this key may use'}`
    return new GateError('MODEL_NOT_FOUND', `${what}; ${hint}${more}`, { param: 'model' })
  }

  const backends = new Set(upstreams.filter((one) => one.isBackend === true).map(({ name }) => name))
  const choosing = createChoosing({
    health,
    random,
    factsOf,
    sessions,
    readinessOf,
    isUpstream: (name) => usable.has(name),
  })

  /** The route of a model, and those of the models to try after it. */
  function routesOf(
    model: string,
    { models: others }: Wanted,
    allowed: Allowance | null,
  ): readonly [Route, ...Route[]] {
    const route = find(model, allowed)
    if (route === null) throw unknownModel(model, allowed)
    return [route, ...others.flatMap((name) => find(name, allowed) ?? [])]
  }

  function explain(
    model: string,
    wanted: Wanted,
    allowed: Allowance | null,
    keysRestMs: (upstream: string) => number,
  ): Explanation {
    const own = routesOf(model, wanted, allowed)
    const [{ strategy: usual, isLoadedFirst = false }] = own
    const strategy = wanted.strategy ?? usual
    const gone = (models[model]?.targets ?? []).filter(({ upstream }) => !usable.has(upstream))
    const missing = gone.map((target) => ({ ...target, model: target.model ?? model }))
    const parts = {
      health,
      factsOf,
      readinessOf,
      choosing,
      isBackend: (name: string) => backends.has(name),
      keysRestMs,
    }
    return {
      strategy,
      isLoadedFirst: isLoadedFirst && strategy === 'fallback',
      targets: explainedTargets(parts, model, own, wanted, missing),
    }
  }

  const viewOf = (allowed: Allowance | null) => ({
    /**
     * The targets to try for a model name, in order; those that failed lately come last.
     * @throws GateError MODEL_NOT_FOUND; BAD_REQUEST when none of them takes what the request holds
     */
    targetsOf(model: string, wanted: Wanted = ANYWHERE): readonly Target[] {
      const meant = allowed?.pinned ?? model
      return choosing.choose(meant, routesOf(meant, wanted, allowed), wanted, false).targets
    },
    /** Empty where it has none, or is not there. */
    categoryOf: (model: string): string => routes.get(allowed?.pinned ?? model)?.category ?? '',
    /** Those of some names that resolve to nothing. */
    unknownOf: (names: readonly string[]): readonly string[] => names.filter((name) => find(name, allowed) === null),
    /**
     * Why each target of a model is chosen, or not. @param keysRestMs how long none of an upstream's keys may be used
     * @throws GateError MODEL_NOT_FOUND
     */
    explain: (
      model: string,
      wanted: Wanted = ANYWHERE,
      keysRestMs: (upstream: string) => number = () => 0,
    ): Explanation => explain(allowed?.pinned ?? model, wanted, allowed, keysRestMs),
    /** One model as a client may name it. @throws GateError MODEL_NOT_FOUND */
    entryOf(id: string): ListedModel {
      const meant = allowed?.pinned ?? id
      const route = find(meant, allowed)
      if (route === null) throw unknownModel(meant, allowed)
      const known = listed.find((model) => model.id === meant)
      return { id, ownedBy: known?.ownedBy ?? 'gate', targets: route.targets }
    },
    /** Every model that a client may name, virtual ones first. */
    list: (): readonly ListedModel[] =>
      allowed === null ? listed : listed.filter(({ id }) => find(id, allowed) !== null),
    /** Whether an upstream has anything for a client. */
    reaches: (upstream: string): boolean =>
      mayUseSome(allowed, upstream) ||
      listed.some(({ id, targets }) => targets.some((one) => one.upstream === upstream) && find(id, allowed) !== null),
  })

  const everything = viewOf(null)
  return {
    ...everything,
    /** What there is for a key; null: everything. */
    of: (allowed: Allowance | null) => (allowed === null ? everything : viewOf(allowed)),
  }
}

/** To Ollama and its clients a name without a tag is the same as with this one; lists have either. */
const USUAL_TAG = ':latest'
const otherName = (model: string): string =>
  model.endsWith(USUAL_TAG) ? model.slice(0, -USUAL_TAG.length) : model + USUAL_TAG
