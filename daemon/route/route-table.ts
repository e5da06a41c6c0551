import type { Strategy } from './choice.ts'
import type { Route } from './choosing.ts'
import type { Target } from './target-health.ts'

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
  readonly strategy: Strategy
  readonly affinity?: 'session' | 'none'
  readonly failover?: 'before-content' | 'mid-stream'
  readonly parameters?: readonly Parameter[] | undefined
  readonly system_prefix?: string | undefined
  readonly category?: string | undefined
}

/** What routing knows of an upstream: the ids it serves, and whether it takes ids that are not listed. */
export type RouteUpstream = {
  readonly name: string
  readonly models: readonly string[]
  readonly open: boolean
  /** Its name is one for the first of its models. */
  readonly isBackend?: boolean
}

/** A model as clients may ask for it. `ownedBy` is `gate` for virtual models, else the upstream's name. */
export type ListedModel = { readonly id: string; readonly ownedBy: string; readonly targets: readonly Target[] }

/**
 * What each name means. Names resolve in this order: virtual model, category, an id that an upstream lists (the first
 * upstream in the configuration's order wins), the name of a backend, `upstream/id`. An id that begins with the name of
 * another upstream is that one's.
 */
export function routeTable(models: Readonly<Record<string, RouteModel>>, upstreams: readonly RouteUpstream[]) {
  const usable = new Set(upstreams.map(({ name }) => name))
  const routes = new Map<string, Route>()
  const listed: ListedModel[] = []
  const add = (id: string, ownedBy: string, route: Route) => {
    if (routes.has(id)) return
    routes.set(id, route)
    listed.push({ id, ownedBy, targets: route.targets })
  }

  for (const [alias, model] of Object.entries(models)) {
    const targets = targetsOf(alias, model, usable)
    const { strategy, affinity, category } = model
    if (targets.length > 0)
      add(alias, 'gate', { strategy, targets, isSticky: affinity !== 'none', names: [alias], category })
  }
  for (const [category, targets] of targetsByCategory(models, routes)) {
    add(category, 'gate', { strategy: 'fallback', isLoadedFirst: true, targets, names: [category], category })
  }
  for (const { name, models: ids } of upstreams) {
    for (const id of ids) {
      const prefix = id.slice(0, Math.max(0, id.indexOf('/')))
      const isTaken = routes.has(id) || (prefix !== name && usable.has(prefix))
      const names = isTaken ? [`${name}/${id}`] : [id, `${name}/${id}`]
      const route: Route = { strategy: 'fallback', targets: [{ upstream: name, model: id, weight: 1 }], names }
      add(isTaken ? `${name}/${id}` : id, name, route)
      routes.set(`${name}/${id}`, route)
    }
  }
  for (const { name, models: ids, isBackend } of upstreams) {
    const first = isBackend === true ? routes.get(`${name}/${ids[0]}`) : undefined
    if (first !== undefined && !routes.has(name)) routes.set(name, first)
  }
  return { routes, listed, usable }
}

function targetsOf(alias: string, model: RouteModel, usable: ReadonlySet<string>): readonly Target[] {
  return model.targets
    .filter(({ upstream }) => usable.has(upstream))
    .map((target) => ({
      upstream: target.upstream,
      model: target.model ?? alias,
      weight: target.weight,
      ...(target.base_url !== undefined && { basePath: pathOf(target.base_url) }),
      ...(model.failover === 'mid-stream' && { goesOn: true }),
      ...tuningOf(model, target),
    }))
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
