import { GateError } from '../../schemas/words/errors.ts'
import { providerRow } from '../../schemas/words/providers.ts'
import type { Backends } from '../backends/backends.ts'
import type { Target } from '../route/target-health.ts'
import type { Dialects } from '../translate/dialects.ts'
import { spokenFor } from '../translate/spoken.ts'
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
const MAX_ANSWER_BYTES = 64 * 2 ** 10

/**
 * How many tokens a request is, where the upstream cannot say that in the client's dialect: as its engine counts what it
 * would be sent, or about so many. No engine is started for that.
 * @returns null: the request does not ask for it, or the upstream answers it as any other
 */
export function countFor(parts: CountingParts, job: Job, target: Target): ForwardEnd | Promise<ForwardEnd> | null {
  const { call, dialect } = job
  const { countBody, countInput = dialect.estimateInput } = dialect
  const upstream = parts.upstreams.get(target.upstream)
  if (call.endpoint.does !== 'count-tokens' || countBody === undefined || upstream === undefined) return null
  if (spokenFor(parts.dialects.all, dialect, upstream.grades).grade === 'native') return null
  const told = (tokens: number): ForwardEnd => {
    const rest = Buffer.from(JSON.stringify(countBody(tokens)))
    return { kind: 'answered', status: 200, headers: { 'content-type': 'application/json' }, rest, ttftMs: 0 }
  }
  const counts = providerRow(upstream.provider).countsTokens === true && !parts.backends.isAsleep(upstream.name)
  if (!counts) return told(countInput(call))
  return exactCount(parts, job, target, upstream).then((tokens) => told(tokens ?? countInput(call)))
}

/** @returns null when the engine does not say, or would not take the request @throws GateError OVERLOADED */
async function exactCount(
  { dialects, now }: CountingParts,
  job: Job,
  { model, tuning }: Target,
  upstream: Upstream,
): Promise<number | null> {
  const { call, dialect, answer, hold } = job
  const { ask, provider, grades } = upstream
  const chosen = spokenFor(dialects.all, dialect, grades)
  if (ask === null || (chosen.dialect.engineCount ?? chosen.instead.engineCount) === undefined) return null
  const facts = { requestId: answer.requestId, nowS: Math.floor(now() / 1_000), elapsedNs: () => 0 }
  const translated = orNull(() => translate(dialect, chosen, call, { model, provider }, facts))
  const count = translated?.spoken.engineCount
  if (translated === null || count === undefined) return null
  const { spoken } = translated
  const { body } = tuned(spoken, translated.body, bothTunings(upstream.tuning, tuning), false)
  hold(body.length)
  const gone = new AbortController()
  answer.onGone(() => gone.abort())
  const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(COUNT_TIMEOUT_MS)])
  try {
    const counted = await ask(count.path, signal, { headers: spoken.fixedHeaders, body: body.toString('utf8') })
    return count.read(JSON.parse(await textOf(counted, MAX_ANSWER_BYTES)))
  } catch (error) {
    if (signal.aborted || isOfUpstream(error)) return null // what follows will say what is wrong
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

/** Whether an error is of the connection or of what came over it, and none of Gate. */
const isOfUpstream = (error: unknown): boolean =>
  error instanceof SyntaxError || error instanceof TooLong || error instanceof NoAnswerError
