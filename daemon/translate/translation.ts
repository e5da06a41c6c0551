import { GateError } from '../../schemas/words/errors.ts'
import { withRoom } from './answer-room.ts'
import type { Call, UpstreamSide } from './call.ts'
import { CheckedWatch } from './checked-watch.ts'
import { type CallCare, type CheckJson, checkedAnswer, checksOf, objectsAlone } from './checks.ts'
import type { Dialect } from './dialect.ts'
import { fieldsDropped, isPlain, withRealForce } from './features.ts'
import { written } from './json-splice.ts'
import { parsedRecord } from './json-value.ts'
import { type GoingOn, goingOnWith, type Line } from './line.ts'
import type { NeutralAnswer, NeutralRequest } from './neutral.ts'
import type { NeutralForm } from './neutral-form.ts'
import { NAMELESS_CALL } from './part-sequence.ts'
import { withResultsFirst } from './results-first.ts'
import type { Spoken } from './spoken.ts'
import { wholeOf } from './stream-as-whole.ts'
import type { StreamWatch } from './stream-watch.ts'
import { type NamedTools, takenToolNames } from './tool-names.ts'
import { type Ending, TranslatedWatch } from './translated-watch.ts'
import { stepsOf } from './whole-as-stream.ts'

/** A request that is on its way to an upstream of another dialect, and how its answer comes back. */
export type Translation = {
  /** The dialect that the upstream is spoken to in. */
  readonly spoken: Dialect
  readonly body: Buffer
  /** Fields of the client that the upstream cannot express. */
  readonly dropped: readonly string[]
  /** Reads a stream of the upstream and shows the client one of its own dialect; or, at its end, the whole answer. */
  readonly watch: (asStream: boolean) => StreamWatch
  /**
   * A whole answer in the client's dialect, at once where nothing `isChecked`; as a stream where one was asked for.
   * @throws Error when it has another shape than the upstream's dialect, or holds something that the client cannot use
   */
  readonly answer: (whole: Buffer, asStream: boolean) => Buffer | Promise<Buffer>
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
  /** Thinking is shown, whether or not the client has asked for it; absent: where it has. */
  readonly showsThinking?: true
  /** How JSON that the model wrote is looked at; absent: it is not. */
  readonly check?: CheckJson
  /** What becomes of the arguments of calls; absent: they pass. */
  readonly calls?: CallCare
  /** Where several upstreams tell one stream: `goesOn` is what was told before; null: nothing. */
  readonly line?: { readonly next: Line['next']; readonly goesOn: GoingOn | null }
}

/**
 * Translates a request. One for an engine that speaks the client's dialect, but not well, is read and written anew in
 * that dialect when it is a plain one, else in another.
 * @throws GateError BAD_REQUEST, naming the field, when the client's dialect is not followed or the upstream cannot
 *   express what is asked
 */
export function translate(
  client: Dialect,
  { dialect, grade, instead }: Spoken,
  call: Call,
  side: UpstreamSide,
  facts: AnswerFacts,
): Translation {
  const from = formOf(client, client, dialect)
  const asked = from.readRequest(call)
  const isRepaired = grade === 'repair' && isPlain(asked, from.features(side.provider))
  const spoken = grade === 'repair' && !isRepaired ? instead : dialect
  const to = formOf(spoken, client, spoken)
  const goesOn = facts.line?.goesOn ?? null
  const meant = goesOn === null ? asked : goingOnWith(asked, goesOn)
  const fitted = acceptable(meant, client, call, side)
  const { request, original } = takenToolNames(fitted, to.toolNames)
  const told = { ...fitted, toolChoice: meant.toolChoice } // a force that is none is named
  const dropped = fieldsDropped(told, from.features(side.provider), to.features(side.provider), side.model)
  const { body, outline } = written({ ...to.writeRequest(request, side), ...goesOn?.fields })
  const sent = { ...callOf(call, body), outline }
  const answers = answersOf({ from, to, spoken, request, original, call, sent, side, isRepaired, ...facts })
  return { spoken, body, dropped, ...answers }
}

/** The same request in a form that upstreams do not refuse, whatever their dialect. */
function acceptable(request: NeutralRequest, client: Dialect, call: Call, side: UpstreamSide): NeutralRequest {
  const prompt = { bytes: call.body.length, tokens: () => client.estimateInput(call) }
  const { messages, ...rest } = withRoom(withRealForce(request), side, prompt)
  return { ...rest, messages: withResultsFirst(messages) }
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
  isRepaired,
  requestId,
  nowS,
  elapsedNs,
  showsThinking,
  check,
  calls = 'pass',
  line,
}: AnswerFacts & {
  readonly from: NeutralForm
  readonly to: NeutralForm
  readonly spoken: Dialect
  readonly request: NeutralRequest
  readonly original: NamedTools['original']
  readonly call: Call
  readonly sent: Call
  readonly side: UpstreamSide
  readonly isRepaired: boolean
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
    showsThinking: showsThinking ?? request.thinking?.isShown ?? request.thinking?.isOn === true,
    freeform: new Set(request.tools.flatMap(({ name, freeform }) => (freeform === undefined ? [] : [original(name)]))),
  }
  const end = (said: Ending): Ending => endOf(said, request, isRepaired)
  const meant = { requestId, inputTokens, end, toolName: original }
  const checks =
    check === undefined
      ? null
      : checksOf(request, to.features(side.provider), { check, calls, toolName: original, model: side.model })
  const wholeChecks = {
    call: checks?.call ?? objectsAlone(original),
    answer: checks?.answer ?? null,
    hasWholeCalls: true,
  }
  return {
    isChecked: checks !== null,
    watch(asStream) {
      const events = to.readEvents(requestId)
      if (!asStream) {
        const write = wholeOf((answer) => JSON.stringify(from.writeAnswer(answer, told)))
        return new CheckedWatch(wholeChecks, events, write, { ...meant, isShownAtOnce: true })
      }
      const write = () => from.writeEvents(told)
      const parts = [events, line === undefined ? write() : line.next(write), meant] as const
      const needed = from.hasWholeCalls === true ? wholeChecks : checks
      return needed === null ? new TranslatedWatch(...parts) : new CheckedWatch(needed, ...parts)
    },
    answer(whole, asStream) {
      const read = to.readAnswer(whole, requestId)
      const write = (answer: NeutralAnswer): Buffer => {
        const parts = answer.parts.map((part) => (part.kind === 'call' ? { ...part, name: original(part.name) } : part))
        const usage = answer.usage ?? counted(inputTokens(), spoken.estimateOutput(whole))
        const one = { ...answer, ...end(answer), id: answer.id || requestId, parts, usage }
        if (asStream) return Buffer.from(stepsOf(one).map(from.writeEvents(told)).join(''))
        return Buffer.from(JSON.stringify(from.writeAnswer(one, told)))
      }
      requireNames(read)
      if (checks?.call == null) requireObjects(read)
      return checks === null ? write(read) : checkedAnswer(checks, read, write)
    },
  }
}

/** @throws Error when a call is of nothing */
function requireNames({ parts }: NeutralAnswer): void {
  if (parts.some((part) => part.kind === 'call' && part.name === '')) throw new Error(NAMELESS_CALL)
}

/** @throws Error when the arguments of a call are none, which nothing else looks at */
function requireObjects({ parts }: NeutralAnswer): void {
  if (parts.some((part) => part.kind === 'call' && parsedRecord(part.json) === null)) {
    throw new Error('the upstream called a tool with arguments that are not a JSON object')
  }
}

/**
 * How an answer has ended, as far as the upstream says so: some name other things as the sequence that ended it, and
 * one whose answers have to be repaired calls an answer complete that met its limit.
 */
function endOf({ finish, stopSequence, usage }: Ending, request: NeutralRequest, isRepaired: boolean): Ending {
  const sequence = stopSequence !== null && request.stop.includes(stopSequence) ? stopSequence : null
  const { maxOutputTokens: most } = request
  const isCut =
    isRepaired && finish === 'end' && sequence === null && most !== null && (usage?.outputTokens ?? 0) >= most
  return { finish: isCut ? 'length' : finish, stopSequence: sequence, usage }
}

/** The call as the upstream sees it. */
export function callOf({ endpoint, param, url, headers }: Call, body: Buffer): Call {
  return { endpoint, param, url, headers, body }
}

function formOf({ neutral }: Dialect, client: Dialect, spoken: Dialect): NeutralForm {
  if (neutral !== undefined) return neutral
  const message = `this route passes only to upstreams of ${client.name}, and the one of this model speaks ${spoken.name}; choose another model`
  throw new GateError('BAD_REQUEST', message)
}

function counted(inputTokens: number, outputTokens: number) {
  return { inputTokens, outputTokens, cachedTokens: 0, reasoningTokens: 0 }
}
