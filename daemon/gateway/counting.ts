import { GateError } from '../../schemas/words/errors.ts'
import { providerRow } from '../../schemas/words/providers.ts'
import type { Backends } from '../backends/backends.ts'
import type { Target } from '../route/target-health.ts'
import type { Dialects } from '../translate/dialects.ts'
import { isRecord } from '../translate/json-value.ts'
import { spokenFor } from '../translate/spoken.ts'
import { translate } from '../translate/translation.ts'
import { bothTunings, tuned } from '../translate/tuning.ts'
import { textOf } from '../upstream/answer-text.ts'
import type { ForwardEnd } from '../upstream/forward-end.ts'
import type { Upstream, Upstreams } from '../upstream/upstreams.ts'
import type { Job } from './sending.ts'

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

/** @returns null when the engine does not say, or would not take the request */
async function exactCount(
  { dialects, now }: CountingParts,
  { call, dialect, answer, hold }: Job,
  { model, tuning }: Target,
  upstream: Upstream,
): Promise<number | null> {
  const { ask, provider, grades } = upstream
  try {
    const facts = { requestId: answer.requestId, nowS: Math.floor(now() / 1_000), elapsedNs: () => 0 }
    const side = { model, provider }
    const { spoken, body: own } = translate(dialect, spokenFor(dialects.all, dialect, grades), call, side, facts)
    const { body } = tuned(spoken, own, bothTunings(upstream.tuning, tuning), false)
    if (ask === null || spoken.countPath === undefined) return null
    hold(body.length)
    const signal = AbortSignal.timeout(COUNT_TIMEOUT_MS)
    const counted = await ask(spoken.countPath, signal, { headers: spoken.fixedHeaders, body: body.toString('utf8') })
    const said: unknown = JSON.parse(await textOf(counted, MAX_ANSWER_BYTES))
    return isRecord(said) && Number.isSafeInteger(said['input_tokens']) ? Number(said['input_tokens']) : null
  } catch (error) {
    if (error instanceof GateError && error.code === 'OVERLOADED') throw error
    return null // what follows will say what is wrong
  }
}
