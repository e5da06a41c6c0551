import { GateError } from '../../schemas/words/errors.ts'
import { providerRow } from '../../schemas/words/providers.ts'
import type { Target } from '../route/target-health.ts'
import { bothTunings, type Parameter, type Tuning } from '../translate/tuning.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Job } from './job.ts'
import { MODELS } from './wanted.ts'

/**
 * What is changed in a request: what the operator says, and what was said of its way. That means nothing elsewhere, but to
 * a provider that routes by itself, which is told what is not for Gate. @param further targets to try after this one
 */
export function tuningOf(
  { asked, allowed, unheeded }: Job,
  target: Target,
  { provider, tuning: usual }: Pick<Upstream, 'provider' | 'tuning'>,
  further: readonly Target[],
  isUpstream: (name: string) => boolean,
): Tuning {
  const own = bothTunings(usual, target.tuning)
  const isLimited = allowed !== null
  const routes = providerRow(provider).routes === true
  if (asked.routing === undefined) return routes && isLimited ? bothTunings(own, OTHER_MODELS_DROPPED) : own
  if (!routes) return bothTunings(own, ROUTING_DROPPED)
  const isTheirs = (name: string) =>
    unheeded.includes(MODELS + name) ||
    further.some(({ upstream, model }) => upstream === target.upstream && model === name)
  const models = isLimited ? [] : asked.routing.models.filter(isTheirs)
  const parameters: readonly Parameter[] = [
    models.length === 0
      ? { name: 'models', drop: true }
      : { name: 'models', json: JSON.stringify(models), replaces: true },
    ...providerParameter(asked.routing.provider, isUpstream),
    ...(isLimited ? OTHER_MODELS_DROPPED.parameters : []),
  ]
  return bothTunings(own, { parameters, systemPrefixes: [] })
}

/** `provider` without the names of upstreams, which are Gate's matter. */
function providerParameter(
  said: Readonly<Record<string, unknown>> | null,
  isUpstream: (name: string) => boolean,
): readonly Parameter[] {
  if (said === null) return []
  const entries = Object.entries(said).flatMap(([name, value]) => {
    if (!NAMING.has(name) || !Array.isArray(value)) return [[name, value]]
    const theirs = value.filter((one) => !isUpstream(String(one)))
    return theirs.length === 0 ? [] : [[name, theirs]]
  })
  return [{ name: 'provider', json: JSON.stringify(Object.fromEntries(entries)), replaces: true }]
}

const NAMING: ReadonlySet<string> = new Set(['order', 'only', 'ignore'])
const dropping = (...names: readonly string[]): Tuning => ({
  parameters: names.map((name) => ({ name, drop: true })),
  systemPrefixes: [],
})
const ROUTING_DROPPED = dropping('models', 'provider')
/** By which a provider is told to use another model than the one that was looked up. */
const OTHER_MODELS_DROPPED = dropping('models', 'preset')

/**
 * Notes what a request says of its way and nothing heeds, and leaves out of what its upstream is not told of what Gate
 * has heeded itself.
 * @returns why this target may not be asked: it is not told of every field, and the request insists on that; null: it may
 */
export function heeded({ answer, asked, unheeded }: Job, target: Target, provider: string): GateError | null {
  const { routing } = asked
  if (routing === undefined) return null
  const untold = answer.progress.dropped.filter((name) => name !== 'models' && name !== 'provider')
  answer.progress.dropped = providerRow(provider).routes === true ? untold : [...unheeded, ...untold]
  if (!routing.needsAll || untold.length === 0) return null
  const name = `"${target.upstream}/${target.model}"`
  const message = `${name} takes no ${untold.slice(0, MOST_NAMED).join(', ')}, and provider.require_parameters asks for that`
  return new GateError('BAD_REQUEST', message.slice(0, LONGEST_MESSAGE), { param: 'provider.require_parameters' })
}

const MOST_NAMED = 10
const LONGEST_MESSAGE = 1_000
