import { GateError } from '../../schemas/words/errors.ts'
import { CheckedWatch } from './checked-watch.ts'
import { type CallCare, type CheckJson, type Checks, checkedAnswer, checksOf } from './checks.ts'
import type { Call, Dialect, NeutralForm, StreamWatch, UpstreamSide } from './dialect.ts'
import { fieldsDropped } from './features.ts'
import { written } from './json-splice.ts'
import { parsedRecord } from './json-value.ts'
import type { NeutralAnswer, NeutralRequest } from './neutral.ts'
import { type NamedTools, shortToolNames } from './tool-names.ts'
import { TranslatedWatch } from './translated-watch.ts'

/** A request that is on its way to an upstream of another dialect, and how its answer comes back. */
export type Translation = {
  readonly body: Buffer
  /** Fields of the client that the upstream cannot express. */
  readonly dropped: readonly string[]
  /** Reads a stream of the upstream and shows the client one of its own dialect. */
  readonly watch: () => StreamWatch
  /**
   * A whole answer in the client's dialect, at once where nothing `isChecked`.
   * @throws Error when it has another shape than the upstream's dialect, or holds something that the client cannot use
   */
  readonly answer: (whole: Buffer) => Buffer | Promise<Buffer>
  /** JSON in the answer is looked at before the client sees it. */
  readonly isChecked: boolean
}

/** What an answer in the client's dialect needs besides. */
export type AnswerFacts = {
  /** For an answer that has no id. */
  readonly requestId: string
  /** Unix seconds. */
  readonly nowS: number
  /** Since the request came. */
  readonly elapsedNs: () => number
  /** How JSON that the model wrote is looked at; absent: it is not. */
  readonly check?: CheckJson
  /** What becomes of the arguments of calls; absent: they pass. */
  readonly calls?: CallCare
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
  const { body, outline } = written(to.writeRequest(request, side))
  const sent = { ...callOf(call, body), outline }
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
  check,
  calls = 'pass',
}: AnswerFacts & {
  readonly from: NeutralForm
  readonly to: NeutralForm
  readonly spoken: Dialect
  readonly request: NeutralRequest
  readonly original: NamedTools['original']
  readonly call: Call
  readonly sent: Call
  readonly side: UpstreamSide
}): Pick<Translation, 'watch' | 'answer' | 'isChecked'> {
  let estimate: number | null = null
  const inputTokens = () => {
    estimate ??= spoken.estimateInput(sent)
    return estimate
  }
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
  const checks =
    check === undefined ? null : checksOf(request, to.features(side.provider), { check, calls, toolName: original })
  const watchWith = checks === null ? plainWatch : checkedWatch(checks)
  return {
    isChecked: checks !== null,
    watch: () => watchWith(to.readEvents(requestId), from.writeEvents(told), meant),
    answer(whole) {
      const read = to.readAnswer(whole, requestId)
      const write = (answer: NeutralAnswer): Buffer => {
        const parts = answer.parts.map((part) => (part.kind === 'call' ? { ...part, name: original(part.name) } : part))
        const usage = answer.usage ?? counted(inputTokens(), spoken.estimateOutput(whole))
        const facts = { id: answer.id || requestId, parts, usage, stopSequence: stopSequence(answer.stopSequence) }
        return Buffer.from(JSON.stringify(from.writeAnswer({ ...answer, ...facts }, told)))
      }
      if (checks?.call == null) requireObjects(read)
      return checks === null ? write(read) : checkedAnswer(checks, read, write)
    },
  }
}

type WatchParts = ConstructorParameters<typeof TranslatedWatch>

const plainWatch = (...parts: WatchParts) => new TranslatedWatch(...parts)
const checkedWatch =
  (checks: Checks) =>
  (...parts: WatchParts) =>
    new CheckedWatch(checks, ...parts)

/** @throws Error when the arguments of a call are none, which nothing else looks at */
function requireObjects({ parts }: NeutralAnswer): void {
  if (parts.some((part) => part.kind === 'call' && parsedRecord(part.json) === null)) {
    throw new Error('the upstream called a tool with arguments that are not a JSON object')
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
