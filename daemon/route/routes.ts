import { GateError } from '../../schemas/words/errors.ts'
import { nearNames } from './near-names.ts'
import type { Target, TargetHealth } from './target-health.ts'

type Parameter = NonNullable<Target['tuning']>['parameters'][number]

/** What routing knows of a virtual model. */
export type RouteModel = {
  readonly targets: readonly {
    readonly upstream: string
    readonly model?: string | undefined
    readonly weight: number
    readonly base_url?: string | undefined
    readonly parameters?: readonly Parameter[] | undefined
    readonly system_prefix?: string | undefined
  }[]
  readonly strategy: 'fallback' | 'weighted' | 'latency' | 'cost'
  readonly parameters?: readonly Parameter[] | undefined
  readonly system_prefix?: string | undefined
  readonly category?: string | undefined
}

/** What routing knows of an upstream: the ids it serves, and whether it takes ids that are not listed. */
export type RouteUpstream = { readonly name: string; readonly models: readonly string[]; readonly open: boolean }

/** A model as clients may ask for it. `ownedBy` is `gate` for virtual models, else the upstream's name. */
export type ListedModel = { readonly id: string; readonly ownedBy: string; readonly targets: readonly Target[] }

type Route = { readonly strategy: RouteModel['strategy']; readonly targets: readonly Target[] }

export type Routes = ReturnType<typeof createRoutes>

/**
 * What each model name resolves to, worked out once per change of configuration or of what the upstreams serve.
 * Names resolve in this order: virtual model, category, an id that an upstream lists (the first upstream in the
 * configuration's order wins), `upstream/id`. An id that begins with the name of another upstream is that one's.
 * @param random a number from 0 to 1, for weighted routes
 */
export function createRoutes(
  models: Readonly<Record<string, RouteModel>>,
  upstreams: readonly RouteUpstream[],
  health: TargetHealth,
  random: () => number,
) {
  const usable = new Set(upstreams.map(({ name }) => name))
  const routes = new Map<string, Route>()
  const listed: ListedModel[] = []
  const add = (id: string, ownedBy: string, route: Route) => {
    if (routes.has(id)) return
    routes.set(id, route)
    listed.push({ id, ownedBy, targets: route.targets })
  }

  for (const [alias, model] of Object.entries(models)) {
    const targets = model.targets
      .filter(({ upstream }) => usable.has(upstream))
      .map((target) => ({
        upstream: target.upstream,
        model: target.model ?? alias,
        weight: target.weight,
        ...(target.base_url !== undefined && { basePath: pathOf(target.base_url) }),
        ...tuningOf(model, target),
      }))
    if (targets.length > 0) add(alias, 'gate', { strategy: model.strategy, targets })
  }
  for (const [category, targets] of targetsByCategory(models, routes)) {
    add(category, 'gate', { strategy: 'fallback', targets })
  }
  for (const { name, models: ids } of upstreams) {
    for (const id of ids) {
      const route: Route = { strategy: 'fallback', targets: [{ upstream: name, model: id, weight: 1 }] }
      const prefix = id.slice(0, Math.max(0, id.indexOf('/')))
      const isTaken = routes.has(id) || (prefix !== name && usable.has(prefix))
      add(isTaken ? `${name}/${id}` : id, name, route)
      routes.set(`${name}/${id}`, route)
    }
  }
  const openUpstreams = new Set(upstreams.filter(({ open }) => open).map(({ name }) => name))

  function find(model: string): Route | null {
    const known = routes.get(model)
    if (known !== undefined) return known
    const slash = model.indexOf('/')
    const upstream = model.slice(0, slash)
    if (slash < 1 || slash === model.length - 1 || !openUpstreams.has(upstream)) return null
    return { strategy: 'fallback', targets: [{ upstream, model: model.slice(slash + 1), weight: 1 }] }
  }

  function unknownModel(model: string): GateError {
    const near = nearNames(model, routes.keys())
    const hint = near.length > 0 ? `did you mean ${near.map((n) => `"${n}"`).join(', ')}?` : 'see GET /v1/models'
    const silent = upstreams.filter(({ open, models: ids }) => open && ids.length === 0).slice(0, 3)
    const more = silent.map(({ name }) => `; "${name}" lists no models: ask for "${name}/MODEL"`).join('')
    return new GateError('MODEL_NOT_FOUND', `no model "${model.slice(0, 200)}"; ${hint}${more}`, { param: 'model' })
  }

  return {
    /**
     * The targets to try for a model name, in order; those that failed lately come last.
     * @throws GateError MODEL_NOT_FOUND
     */
    targetsOf(model: string): readonly Target[] {
      const route = find(model)
      if (route === null) throw unknownModel(model)
      if (route.targets.length === 1) return route.targets
      return health.order(ordered(route, health, random))
    },
    /** One model as a client may name it. @throws GateError MODEL_NOT_FOUND */
    entryOf(id: string): ListedModel {
      const route = find(id)
      if (route === null) throw unknownModel(id)
      return listed.find((model) => model.id === id) ?? { id, ownedBy: 'gate', targets: route.targets }
    },
    /** Every model that a client may name, virtual ones first. */
    list: (): readonly ListedModel[] => listed,
  }
}

const pathOf = (url: string): string => new URL(url).pathname.replace(/\/+$/, '')

/** What is said of the model holds for each of its targets; what is said of the target comes last, and so counts. */
function tuningOf(model: RouteModel, target: RouteModel['targets'][number]): Pick<Target, 'tuning'> {
  const parameters = [...(model.parameters ?? []), ...(target.parameters ?? [])]
  const systemPrefixes = [model.system_prefix, target.system_prefix].filter((text) => text !== undefined)
  return parameters.length + systemPrefixes.length === 0 ? {} : { tuning: { parameters, systemPrefixes } }
}

function targetsByCategory(
  models: Readonly<Record<string, RouteModel>>,
  routes: ReadonlyMap<string, Route>,
): Map<string, Target[]> {
  const byCategory = new Map<string, Target[]>()
  for (const [alias, { category }] of Object.entries(models)) {
    const targets = routes.get(alias)?.targets
    if (category === undefined || targets === undefined) continue
    byCategory.set(category, [...(byCategory.get(category) ?? []), ...targets])
  }
  return byCategory
}

function ordered(route: Route, health: TargetHealth, random: () => number): readonly Target[] {
  switch (route.strategy) {
    case 'fallback':
    case 'cost':
      return route.targets
    case 'latency':
      return [...route.targets].sort((a, b) => health.latencyMs(a) - health.latencyMs(b))
    case 'weighted':
      // a weighted shuffle: each target first as often as its share, the others after it as fallback
      return route.targets
        .map((target) => ({ target, key: -Math.log(1 - random()) / target.weight }))
        .sort((a, b) => a.key - b.key)
        .map(({ target }) => target)
  }
}
