import type { Parameter } from '../../../schemas/config/tuning.ts'
import type { SpecPath } from '../../../schemas/spec/path.ts'
import { array, type JsonNode, object, value } from '../../../syntax/json/print.ts'
import type { Finding } from '../../diagnostic.ts'
import type { Deployment } from '../../ir/deployment.ts'
import { notExpressed } from '../not-expressed.ts'
import { tuningNodes } from './tuning.ts'

type Model = Deployment['models'][string]
/** A target as the daemon knows it. `weight` is a share of the requests of its model. */
type Target = {
  readonly upstream: string
  readonly model: string
  readonly weight: number
  readonly baseUrl: string | undefined
  readonly parameters: readonly Parameter[] | undefined
  readonly systemPrefix: string | undefined
  readonly origin: SpecPath
}

/**
 * Virtual models. The daemon knows targets that are upstreams: backends become those, aliases what they resolve to.
 * @param reachable names of upstreams and backends that the daemon has; a model that resolves to none of them is left
 * out
 */
export function modelTable(
  deployment: Deployment,
  reachable: ReadonlySet<string>,
): { readonly node: JsonNode; readonly findings: readonly Finding[] } {
  const names = Object.keys(deployment.models)
  const findings = namesByCase(names)
  const flat = flatModels(deployment, reachable)
  const entries = Object.entries(deployment.models).flatMap(([alias, model]): [string, JsonNode][] => {
    const {
      category,
      strategy,
      affinity,
      failover,
      parameters,
      system_prefix: systemPrefix,
      targets: _targets,
      ...rest
    } = model
    rest satisfies Record<string, never>
    const origin: SpecPath = ['models', alias]
    findings.push(...mixtureFindings(deployment, model, origin))
    const targets = flat(alias).map((target) =>
      object(target.origin, {
        upstream: value(target.origin, target.upstream),
        model: value(target.origin, target.model),
        weight: strategy === 'weighted' ? value(target.origin, target.weight) : undefined,
        base_url: target.baseUrl === undefined ? undefined : value([...target.origin, 'base_url'], target.baseUrl),
        ...tuningNodes(target.origin, target),
      }),
    )
    if (targets.length === 0) {
      const message = `none of the targets of "${alias}" runs there, so it is left out`
      findings.push(notExpressed(origin, message, 'give it a target that runs there'))
      return []
    }
    const node = object(origin, {
      category: category === undefined ? undefined : value([...origin, 'category'], category),
      strategy: value([...origin, 'strategy'], strategy),
      affinity: affinity === 'none' ? value([...origin, 'affinity'], affinity) : undefined,
      failover: failover === 'mid-stream' ? value([...origin, 'failover'], failover) : undefined,
      ...tuningNodes(origin, { parameters, systemPrefix }),
      targets: array([...origin, 'targets'], targets),
    })
    return [[alias, node]]
  })
  return { node: object(['models'], Object.fromEntries(entries)), findings }
}

/** Clients and people take such names for one, and so the daemon refuses them. */
function namesByCase(names: readonly string[]): Finding[] {
  return [...Map.groupBy(names, (name) => name.toLowerCase()).values()].flatMap(([first = '', ...others]) =>
    others.map((name): Finding => {
      const message = `"${name}" and "${first}" differ only in upper and lower case`
      return { code: 'NAME_COLLISION', path: ['models', name], part: 'key', message, hint: 'rename one of them' }
    }),
  )
}

/**
 * A target that is itself a choice between several can be put in its place when both choose alike, and not otherwise.
 */
function mixtureFindings({ models }: Deployment, model: Model, origin: SpecPath): Finding[] {
  return model.targets.flatMap(({ alias, model: id }, i): Finding[] => {
    if (alias !== undefined && id !== undefined) {
      const message = `the targets of "${alias}" decide which model is asked for, not this key`
      const path = [...origin, 'targets', i, 'model']
      return [{ code: 'NOT_YET', severity: 'warning', path, message, hint: `write it in models.${alias}` }]
    }
    const inner = alias === undefined ? undefined : models[alias]
    const isChoice = inner !== undefined && inner.targets.length > 1 && model.targets.length > 1
    if (!isChoice || inner.strategy === model.strategy) return []
    const message = `the daemon has no ${inner.strategy} choice inside a ${model.strategy} one: the targets of "${alias}" are listed here one by one`
    const hint = 'use the same strategy for both'
    return [{ code: 'NOT_YET', severity: 'warning', path: [...origin, 'targets', i, 'alias'], message, hint }]
  })
}

/** The targets of every model, aliases put in. Linear in what comes out: each model is worked out once. */
function flatModels(
  { models, backends }: Deployment,
  reachable: ReadonlySet<string>,
): (alias: string) => readonly Target[] {
  const modelOf = new Map(backends.map(({ name, model }) => [name, model]))
  const done = new Map<string, readonly Target[]>()
  const flat = (alias: string): readonly Target[] => {
    const before = done.get(alias)
    if (before !== undefined) return before
    const targets = (models[alias]?.targets ?? []).flatMap((target, i): Target[] => {
      const origin: SpecPath = ['models', alias, 'targets', i]
      const { weight, model, base_url: baseUrl, parameters, system_prefix: systemPrefix } = target
      const own = { weight, baseUrl, parameters, systemPrefix, origin }
      if (target.alias !== undefined) {
        const inner = flat(target.alias)
        const sum = inner.reduce((total, one) => total + one.weight, 0)
        return inner.map((one) => ({
          ...one,
          weight: share((weight * one.weight) / sum),
          ...throughAlias(one, models[target.alias ?? ''], own),
          origin,
        }))
      }
      if (target.backend !== undefined)
        return [{ ...own, upstream: target.backend, model: model ?? modelOf.get(target.backend) ?? alias }]
      return target.upstream === undefined ? [] : [{ ...own, upstream: target.upstream, model: model ?? alias }]
    })
    const own = withoutRepeats(targets.filter(({ upstream }) => reachable.has(upstream)))
    done.set(alias, own)
    return own
  }
  return flat
}

/** What the alias says of all of its targets, and what is said of the alias as a target, goes on holding. */
function throughAlias(
  { parameters, systemPrefix }: Target,
  alias: Model | undefined,
  outer: Pick<Target, 'parameters' | 'systemPrefix'>,
): Pick<Target, 'parameters' | 'systemPrefix'> {
  const prefixes = [outer.systemPrefix, alias?.system_prefix, systemPrefix].filter((text) => text !== undefined)
  const all = [...(alias?.parameters ?? []), ...(parameters ?? []), ...(outer.parameters ?? [])]
  return {
    parameters: all.length === 0 ? undefined : all,
    systemPrefix: prefixes.length === 0 ? undefined : prefixes.join('\n\n'),
  }
}

/** The same target twice is one with both shares, at its first place. */
function withoutRepeats(targets: readonly Target[]): Target[] {
  const groups = Map.groupBy(targets, ({ upstream, model, baseUrl, parameters, systemPrefix }) =>
    JSON.stringify([upstream, model, baseUrl, parameters, systemPrefix]),
  )
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    return first === undefined ? [] : [{ ...first, weight: share(group.reduce((sum, { weight }) => sum + weight, 0)) }]
  })
}

/** A share that the configuration accepts and that reads well. */
function share(exact: number): number {
  return Math.max(Number(exact.toPrecision(6)), Number.MIN_VALUE)
}
