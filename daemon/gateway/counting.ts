import { GateError } from '../../schemas/words/errors.ts'
import type { CountRoute } from '../../schemas/words/provider-row.ts'
import { providerRow } from '../../schemas/words/providers.ts'
import type { Backends } from '../backends/backends.ts'
import type { Target } from '../route/target-health.ts'
import type { Dialect } from '../translate/dialect.ts'
import type { Dialects } from '../translate/dialects.ts'
import { ownCount } from '../translate/engine-count.ts'
import { type Spoken, spokenFor } from '../translate/spoken.ts'
import { type Translation, translate } from '../translate/translation.ts'
import { bothTunings, tuned } from '../translate/tuning.ts'
import { TooLong, textOf } from '../upstream/answer-text.ts'
import { NoAnswerError } from '../upstream/asking.ts'
import type { ForwardEnd } from '../upstream/forward-end.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import type { Job } from './job.ts'

/** `now` is Unix milliseconds. */
type CountingParts = {
  readonly dialects: Pick<Dialects, 'all'>
  readonly backends: Pick<Backends, 'isAsleep'>
  readonly upstreams: Pick<Upstreams, 'get'>
  readonly now: () => number
}

const COUNT_TIMEOUT_MS = 10_000
/** vLLM names every token of a prompt. */
const MAX_ANSWER_BYTES = 4 * 2 ** 20

/**
 * How many tokens a request is, where the upstream cannot say that in the client's dialect: as it counts what it would
 * be sent, or about so many. No engine is started for that.
 * @returns null: the request does not ask for it, or the upstream answers it as any other
 */
export function countFor(parts: CountingParts, job: Job, target: Target): ForwardEnd | Promise<ForwardEnd> | null {
  const { call, dialect } = job
  const { countBody, countInput = dialect.estimateInput } = dialect
  const upstream = parts.upstreams.get(target.upstream)
  if (call.endpoint.does !== 'count-tokens' || countBody === undefined || upstream === undefined) return null
  if (countsNatively(parts, dialect, upstream)) return null
  const told = (tokens: number): ForwardEnd => {
    const rest = Buffer.from(JSON.stringify(countBody(tokens)))
    return { kind: 'answered', status: 200, headers: { 'content-type': 'application/json' }, rest, ttftMs: 0 }
  }
  const route = parts.backends.isAsleep(upstream.name) ? null : routeOf(parts, dialect, upstream)
  if (route === null) return told(countInput(call))
  return exactCount(parts, job, target, upstream, route).then((tokens) => told(tokens ?? countInput(call)))
}

/** Whether the upstream has the client's route, so that the request passes. */
function countsNatively({ dialects }: CountingParts, dialect: Dialect, { provider, grades }: Upstream): boolean {
  const { counts } = providerRow(provider)
  if (spokenFor(dialects.all, dialect, grades).grade !== 'native' || counts === undefined) return false
  return typeof counts === 'string' || counts.dialect === dialect.name
}

/** How the upstream is asked; `own` is left out where the dialect that is spoken says it. */
type Route = { readonly chosen: Spoken; readonly own?: CountRoute }

/** @returns null: it does not count */
function routeOf({ dialects: { all } }: CountingParts, dialect: Dialect, { provider, grades }: Upstream): Route | null {
  const { counts } = providerRow(provider)
  if (counts === undefined || counts === 'where native') return null
  if (counts === 'as spoken') return { chosen: spokenFor(all, dialect, grades) }
  const taken = all.find(({ name }) => name === counts.dialect)
  return taken === undefined ? null : { own: counts, chosen: { dialect: taken, grade: 'translate', instead: taken } }
}

/** @returns null when the upstream does not say, or would not take the request @throws GateError OVERLOADED */
async function exactCount(
  { now }: CountingParts,
  job: Job,
  { model, tuning }: Target,
  { ask, provider, tuning: own }: Upstream,
  { chosen, own: counts }: Route,
): Promise<number | null> {
  const { call, dialect, answer, hold } = job
  if (ask === null) return null
  const facts = { requestId: answer.requestId, nowS: Math.floor(now() / 1_000), elapsedNs: () => 0 }
  const translated = orNull(() => translate(dialect, chosen, call, { model, provider }, facts))
  if (translated === null) return null
  const { spoken } = translated
  const count = counts === undefined ? spoken.engineCount : ownCount(counts)
  if (count === undefined) return null
  const { body } = tuned(spoken, translated.body, bothTunings(own, tuning), false)
  const question = count.question?.(body, model) ?? body
  hold(question.length)
  const gone = new AbortController()
  answer.onGone(() => gone.abort())
  const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(COUNT_TIMEOUT_MS)])
  try {
    const counted = await ask(count.path.replace('{model}', encodeURIComponent(model)), signal, {
      headers: spoken.fixedHeaders,
      body: question.toString('utf8'),
    })
    return count.read(JSON.parse(await textOf(counted, MAX_ANSWER_BYTES)))
  } catch (error) {
    if (signal.aborted || isOfUpstream(error)) return null // sending the request will show what is wrong
    throw error
  }
}

/** A request that the upstream would not take is refused when it is sent. */
function orNull(translated: () => Translation): Translation | null {
  try {
    return translated()
  } catch (error) {
    if (error instanceof GateError) return null
    throw error
  }
}

/** Whether an error is the upstream's: of the connection, or of what came over it. */
const isOfUpstream = (error: unknown): boolean =>
  error instanceof SyntaxError || error instanceof TooLong || error instanceof NoAnswerError
