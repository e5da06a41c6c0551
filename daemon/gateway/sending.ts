import { GateError } from '../../schemas/words/errors.ts'
import type { Call, UpstreamBody, UpstreamSide } from '../translate/call.ts'
import type { CallCare, CheckJson } from '../translate/checks.ts'
import type { Dialect } from '../translate/dialect.ts'
import { embedFailure, translateEmbedding } from '../translate/embedding.ts'
import type { Spoken } from '../translate/spoken.ts'
import type { StreamWatch } from '../translate/stream-watch.ts'
import { type AnswerFacts, callOf, type Translation, translate } from '../translate/translation.ts'
import { type Tuning, tuned, tuningOfEmbeddings } from '../translate/tuning.ts'
import type { AnswerForm, Sink } from '../upstream/answer-form.ts'
import type { ForwardEnd } from '../upstream/forward-end.ts'
import type { Answer } from './answer.ts'
import { asAskedFor, streamTypeOf, translatedEnd } from './client-end.ts'
import type { Job } from './job.ts'

/** What is sent to one upstream for a request, and how its answer is read and told. */
export type Sending = {
  /** The dialect of the upstream. */
  readonly spoken: Dialect
  /** As the upstream gets it. */
  readonly call: Call
  readonly body: Buffer
  readonly form: AnswerForm
  readonly sink: Sink
  /** The end of the attempt as the client is told it. */
  readonly forClient: (end: ForwardEnd) => ForwardEnd
  /** Checks a whole answer before the client sees it; null: there is nothing to check. */
  readonly inspect: ((end: ForwardEnd) => Promise<ForwardEnd>) | null
}

/**
 * How the answer is to be read and written. `now`: Unix milliseconds. `calls`: what becomes of arguments of tools.
 * `line`: where several upstreams tell one stream.
 */
type AnswerCare = Pick<AnswerFacts, 'line'> & {
  readonly now: () => number
  readonly check: CheckJson
  readonly calls: CallCare
}

const NONE: readonly string[] = []

/** One list after the other; nearly always both are empty. */
const together = (first: readonly string[], second: readonly string[]): readonly string[] =>
  first.length + second.length === 0 ? NONE : [...first, ...second]

const asItIs = (end: ForwardEnd): ForwardEnd => end

/**
 * Where the upstream speaks the client's dialect well, bytes pass; else everything is read and written anew.
 * @param tuning what the operator changes in it
 * @throws GateError BAD_REQUEST when the upstream cannot take it, OVERLOADED
 */
export function sendingTo(spoken: Spoken, job: Job, side: UpstreamSide, tuning: Tuning, care: AnswerCare): Sending {
  const { answer, dialect, call, asked } = job
  const { does } = call.endpoint
  const own = does === 'embed' ? tuningOfEmbeddings(tuning) : tuning
  const isTuned = does !== 'count-tokens'
  const generates = does === 'generate'
  if (spoken.grade === 'translate' || (spoken.grade === 'repair' && generates)) {
    const facts = factsOf(answer, care)
    const translation = (does === 'embed' ? translateEmbedding : translate)(dialect, spoken, call, side, facts)
    const { body, dropped } = tuned(translation.spoken, translation.body, own, isTuned)
    return translated(job, { ...translation, body, dropped: [...translation.dropped, ...dropped] })
  }
  const { body: fitted, hidesUsage, dropped: missing = NONE } = dialect.bodyFor(call, asked, side)
  const { body, dropped: unwanted } = tuned(dialect, fitted, own, isTuned)
  const dropped = together(missing, unwanted)
  if (care.line !== undefined && generates) {
    // the request passes, but the answer is told as what others may go on with
    const translation = translate(dialect, spoken, call, side, factsOf(answer, care))
    return translated(job, { ...translation, body, dropped })
  }
  answer.progress.dropped = together(call.lost ?? NONE, dropped)
  return passing(spoken, job, side, { body, hidesUsage }, care)
}

/** Bytes pass; only a whole answer in place of the stream that was asked for, or the other way round, is written anew. */
function passing(
  spoken: Spoken,
  job: Job,
  side: UpstreamSide,
  { body, hidesUsage }: UpstreamBody,
  care: AnswerCare,
): Sending {
  const { answer, dialect, call, asked } = job
  const isOne = call.endpoint.does === 'generate' && dialect.neutral !== undefined && (asked.choices ?? 1) <= 1
  const anew = () => {
    const { requestId, nowS, elapsedNs } = factsOf(answer, care) // nothing is looked at in what passes
    const facts = { requestId, nowS, elapsedNs, showsThinking: true } as const
    return translate(dialect, { ...spoken, grade: 'translate' }, call, side, facts)
  }
  const watch = () => {
    const asWhole = asked.stream || !isOne ? null : watchAsWhole(anew)
    answer.watch = asWhole ?? dialect.watch(hidesUsage, asked.choices)
    return answer.watch
  }
  const form = formOf(dialect, call, watch)
  const forClient = isOne ? (end: ForwardEnd) => asAskedFor(end, job, anew) : asItIs
  return { spoken: dialect, call, body, form, sink: answer, inspect: null, forClient }
}

/** Null where there is more in a request that passes than can be translated: then its stream passes, too. */
function watchAsWhole(anew: () => Pick<Translation, 'watch'>): StreamWatch | null {
  try {
    return anew().watch(false)
  } catch {
    return null
  }
}

function factsOf({ requestId, progress: { ongoing } }: Answer, { now, check, calls, line }: AnswerCare): AnswerFacts {
  const sinceMs = ongoing?.begun ?? performance.now()
  const elapsedNs = () => Math.round((performance.now() - sinceMs) * 1e6)
  return { requestId, nowS: Math.floor(now() / 1_000), elapsedNs, check, calls, ...(line !== undefined && { line }) }
}

function formOf(spoken: Dialect, { endpoint }: Call, watch: AnswerForm['watch']): AnswerForm {
  const { streamType, looksLikeStream } = spoken
  const isEmbed = endpoint.does === 'embed'
  const failureOf = isEmbed ? (answer: Buffer) => embedFailure(spoken, answer) : spoken.failureOf
  return { mediaType: streamType, looksLikeStream, failureOf, watch }
}

function translated(job: Job, translation: Translation): Sending {
  const { answer, dialect, call, asked, hold } = job
  const { spoken } = translation
  hold(translation.body.length)
  answer.progress.dropped = [...(call.lost ?? []), ...translation.dropped]
  let whole: Buffer | null = null
  const watch = () => {
    answer.watch = translation.watch(asked.stream)
    return answer.watch
  }
  const own = formOf(spoken, call, watch)
  return {
    spoken,
    call: callOf(call, translation.body),
    body: translation.body,
    form: {
      ...own,
      isWhole: true,
      failureOf(bytes) {
        const failure = own.failureOf(bytes)
        if (failure !== null || translation.isChecked) return failure
        try {
          const read = translation.answer(bytes, asked.stream)
          if (Buffer.isBuffer(read)) whole = read
          return null
        } catch (error) {
          return messageOf(error)
        }
      },
    },
    sink: sinkOf(answer, dialect),
    forClient: (end) => translatedEnd(end, job, spoken, whole),
    inspect: translation.isChecked
      ? (end) =>
          inspected(end, answer, async (bytes) => {
            whole = await translation.answer(bytes, asked.stream)
          })
      : null,
  }
}

/** A stream is begun with headers of its own, whatever those of the upstream say. */
function sinkOf(answer: Answer, dialect: Dialect): Sink {
  return {
    started: () => answer.started(),
    start: (status) => {
      answer.start(status, { ...streamTypeOf(dialect), 'cache-control': 'no-cache' })
    },
    write: (chunk) => answer.write(chunk),
    onDrain: (resume) => answer.onDrain(resume),
    onGone: (cancel) => answer.onGone(cancel),
  }
}

async function inspected(end: ForwardEnd, answer: Answer, read: (whole: Buffer) => Promise<void>): Promise<ForwardEnd> {
  if (end.kind !== 'answered' || answer.watch !== null) return end // a stream was checked on its way
  try {
    await read(end.rest)
    return end
  } catch (error) {
    const logged = error instanceof GateError ? { logged: error.logged } : {}
    const refusal = new GateError('UPSTREAM_FAILED', messageOf(error), logged)
    return { kind: 'reported', status: end.status, error: refusal, ttftMs: end.ttftMs }
  }
}

/** That of a parser quotes what it has read, which belongs in no log. */
function messageOf(error: unknown): string {
  if (error instanceof SyntaxError) return 'the answer of the upstream is not JSON'
  return error instanceof Error ? error.message : String(error)
}
