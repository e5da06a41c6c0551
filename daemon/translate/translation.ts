import { GateError } from '../../schemas/words/errors.ts'
import type { Call, Dialect, NeutralForm, StreamWatch, UpstreamSide } from './dialect.ts'
import { fieldsDropped } from './features.ts'
import type { NeutralRequest } from './neutral.ts'
import { type NamedTools, shortToolNames } from './tool-names.ts'
import { TranslatedWatch } from './translated-watch.ts'

/** A request that is on its way to an upstream of another dialect, and how its answer comes back. */
export type Translation = {
  readonly body: Buffer
  /** Fields of the client that the upstream cannot express. */
  readonly dropped: readonly string[]
  /** Reads a stream of the upstream and shows the client one of its own dialect. */
  readonly watch: () => StreamWatch
  /** A whole answer in the client's dialect. @throws Error when it has another shape than the upstream's dialect */
  readonly answer: (whole: Buffer) => Buffer
}

/** What an answer in the client's dialect needs besides. */
export type AnswerFacts = {
  /** For an answer that has no id. */
  readonly requestId: string
  /** Unix seconds. */
  readonly nowS: number
  /** Since the request came. */
  readonly elapsedNs: () => number
}

/**
 * Translates a request.
 * @throws GateError BAD_REQUEST, naming the field, when the client's dialect is not followed or the upstream cannot
 *   express what is asked
 */
export function translate(
  client: Dialect,
  spoken: Dialect,
  call: Call,
  side: UpstreamSide,
  facts: AnswerFacts,
): Translation {
  const { from, to } = formsOf(client, spoken)
  const { request, original } = shortToolNames(from.readRequest(call), to.longestToolName)
  const dropped = fieldsDropped(request, from.features(side.provider), to.features(side.provider))
  const body = Buffer.from(JSON.stringify(to.writeRequest(request, side)))
  const sent = callOf(call, body)
  return { body, dropped, ...answersOf({ from, to, spoken, request, original, call, sent, side, ...facts }) }
}

/**
 * The other half alone, for an upstream that takes what the client's dialect says and answers in one of its own: the
 * request passes, its answer is read as far as it can be and written anew.
 * @throws GateError BAD_REQUEST when the client's dialect is not followed
 */
export function repair(
  dialect: Dialect,
  call: Call,
  body: Buffer,
  side: UpstreamSide,
  facts: AnswerFacts,
): Translation {
  const { from, to } = formsOf(dialect, dialect)
  const request = from.readRequest(call)
  const sent = callOf(call, body)
  const original = (name: string) => name
  return {
    body,
    dropped: [],
    ...answersOf({ from, to, spoken: dialect, request, original, call, sent, side, ...facts }),
  }
}

function answersOf({
  from,
  to,
  spoken,
  request,
  original,
  call,
  sent,
  side,
  requestId,
  nowS,
  elapsedNs,
}: AnswerFacts & {
  readonly from: NeutralForm
  readonly to: NeutralForm
  readonly spoken: Dialect
  readonly request: NeutralRequest
  readonly original: NamedTools['original']
  readonly call: Call
  readonly sent: Call
  readonly side: UpstreamSide
}): Pick<Translation, 'watch' | 'answer'> {
  const inputTokens = () => spoken.estimateInput(sent)
  const told = {
    model: side.model,
    requestId,
    call,
    nowS,
    elapsedNs,
    showsUsage: request.showsUsage,
    showsThinking: request.thinking?.isShown ?? request.thinking?.isOn === true,
  }
  /** Some say other things where the sequence that ended an answer is. */
  const stopSequence = (said: string | null) => (said !== null && request.stop.includes(said) ? said : null)
  const meant = { requestId, inputTokens, stopSequence, toolName: original }
  return {
    watch: () => new TranslatedWatch(to.readEvents(requestId), from.writeEvents(told), meant),
    answer(whole) {
      const read = to.readAnswer(whole, requestId)
      const parts = read.parts.map((part) => (part.kind === 'call' ? { ...part, name: original(part.name) } : part))
      const answer = { ...read, parts, stopSequence: stopSequence(read.stopSequence) }
      const usage = answer.usage ?? counted(inputTokens(), spoken.estimateOutput(whole))
      return Buffer.from(JSON.stringify(from.writeAnswer({ ...answer, id: answer.id || requestId, usage }, told)))
    },
  }
}

/** The call as the upstream sees it. */
export function callOf({ endpoint, param, url, headers }: Call, body: Buffer): Call {
  return { endpoint, param, url, headers, body }
}

function formsOf({ name, neutral: from }: Dialect, spoken: Dialect): { from: NeutralForm; to: NeutralForm } {
  const { neutral: to } = spoken
  if (from === undefined || to === undefined) {
    throw new GateError('BAD_REQUEST', `${name} requests cannot be translated for an upstream of ${spoken.name}`)
  }
  return { from, to }
}

function counted(inputTokens: number, outputTokens: number) {
  return { inputTokens, outputTokens, cachedTokens: 0, reasoningTokens: 0 }
}
