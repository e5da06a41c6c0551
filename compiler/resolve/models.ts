import type { Spec } from '../../schemas/spec/spec.ts'
import { isBelow } from '../../schemas/words/base-url.ts'
import { suggestion } from '../../schemas/words/nearest.ts'
import { defaultBaseUrl } from '../../schemas/words/providers.ts'
import { ENGINE_TRAITS } from '../catalog/engines.ts'
import type { Finding } from '../diagnostic.ts'
import type { DefinedNames } from './names.ts'

type Models = Spec['models']
type Target = Models[string]['targets'][number]

/** Targets name something that exists, and virtual models do not go round in circles. */
export function checkModels(models: Models, names: DefinedNames): Finding[] {
  const targets = Object.entries(models).flatMap(([alias, model]) =>
    model.targets.flatMap((target, i) => checkTarget(target, ['models', alias, 'targets', i], names)),
  )
  return [...targets, ...findCycles(models)]
}

function checkTarget(target: Target, path: (string | number)[], names: DefinedNames): Finding[] {
  const references = [
    { key: 'backend', name: target.backend, known: names.backends },
    { key: 'upstream', name: target.upstream, known: names.upstreams },
    { key: 'alias', name: target.alias, known: names.models },
  ].filter((reference) => reference.name !== undefined)
  if (references.length !== 1) {
    const message = references.length === 0 ? 'this target points nowhere' : 'this target points to several places'
    return [{ code: 'AMBIGUOUS_TARGET', path, message, hint: 'name exactly one of backend, upstream and alias' }]
  }
  return references.flatMap(({ key, name = '', known }) =>
    known.has(name)
      ? []
      : [
          {
            code: 'UNKNOWN_NAME' as const,
            path: [...path, key],
            message: `there is no ${key === 'alias' ? 'model' : key} "${name}"`,
            hint: suggestion(name, [...known], key === 'alias' ? 'model' : key),
          },
        ],
  )
}

/** The key of an upstream goes where the upstream is; a backend is reached in one way. */
export function checkTargetUrls({ models, upstreams }: Pick<Spec, 'models' | 'upstreams'>): Finding[] {
  return Object.entries(models).flatMap(([alias, { targets }]) =>
    targets.flatMap(({ upstream: name, base_url: url }, i): Finding[] => {
      const upstream = name === undefined ? undefined : upstreams[name]
      const base = upstream?.base_url ?? (upstream === undefined ? undefined : defaultBaseUrl(upstream.provider))
      if (url === undefined || (base !== undefined && isBelow(base, url))) return []
      const message = base === undefined ? 'only an upstream has a base_url' : `this is not below ${base}`
      const path = ['models', alias, 'targets', i, 'base_url']
      return [{ code: 'INVALID_VALUE', path, message, hint: 'make an upstream of its own for another place' }]
    }),
  )
}

/** Apps such as Open WebUI ask the gateway; it cannot ask them. */
export function checkServers(models: Models, backends: Spec['backends']): Finding[] {
  return Object.entries(models).flatMap(([alias, { targets }]) =>
    targets.flatMap(({ backend: name }, i): Finding[] => {
      const backend = name !== undefined && Object.hasOwn(backends, name) ? backends[name] : undefined
      if (backend === undefined || ENGINE_TRAITS[backend.engine].isUpstream) return []
      const path = ['models', alias, 'targets', i, 'backend']
      const message = `${backend.engine} is an app and cannot take requests for a model`
      return [{ code: 'NOT_A_MODEL_SERVER', path, message, hint: 'name a backend that serves models' }]
    }),
  )
}

/** One finding per circle, at the reference that closes it. */
function findCycles(models: Models): Finding[] {
  const findings: Finding[] = []
  const done = new Set<string>()
  const visit = (alias: string, trail: readonly string[]): void => {
    const model = Object.hasOwn(models, alias) ? models[alias] : undefined
    if (model === undefined || done.has(alias)) return
    for (const [i, target] of model.targets.entries()) {
      if (target.alias === undefined) continue
      const from = [...trail, alias]
      const start = from.indexOf(target.alias)
      if (start === -1) {
        visit(target.alias, from)
        continue
      }
      const circle = [...from.slice(start), target.alias].join(' -> ')
      const path = ['models', alias, 'targets', i, 'alias']
      findings.push({ code: 'MODEL_CYCLE', path, message: `these models refer to each other in a circle: ${circle}` })
    }
    done.add(alias)
  }
  for (const alias of Object.keys(models)) visit(alias, [])
  return findings
}
