import { CallSignatures, type Thought } from '../call-signature.ts'
import { parsedRecord } from '../json-value.ts'
import type { AnswerPart, Finish, NeutralAnswer, Usage } from '../neutral.ts'
import type { Told } from '../neutral-form.ts'
import { logprobObjects, type TokenLogprobs } from '../token-logprobs.ts'

/** How a part of an answer is said: in a message of a conversation, or as what completes a prompt. */
export type Form = (said: {
  readonly text?: string
  readonly thinking?: string
  readonly calls?: readonly object[]
}) => object

export const asMessage: Form = ({ text = '', thinking, calls }) => ({
  message: {
    role: 'assistant',
    content: text,
    ...(thinking !== undefined && { thinking }),
    ...(calls !== undefined && { tool_calls: calls }),
  },
})
export const asResponse: Form = ({ text = '', thinking }) => ({
  response: text,
  ...(thinking !== undefined && { thinking }),
})

/** Writes a whole answer of another dialect. */
export function writeAnswer(form: Form, answer: NeutralAnswer & { readonly usage: Usage }, told: Told): object {
  const thinking = told.showsThinking ? textOf(answer.parts, ['reasoning']) : ''
  const calls = callsOf(answer.parts, told)
  const totalNs = told.elapsedNs()
  return {
    model: answer.model || told.model,
    created_at: timeOf(told),
    ...form({
      text: textOf(answer.parts, ['text', 'refusal']),
      ...(thinking !== '' && { thinking }),
      ...(calls.length > 0 && { calls }),
    }),
    ...logprobsOf(answer.parts.flatMap((part) => (part.kind === 'text' ? (part.logprobs ?? []) : []))),
    ...ending(answer.finish, answer.usage, { totalNs, firstNs: totalNs }),
  }
}

/** Beside the message. */
export const logprobsOf = (logprobs: TokenLogprobs = []): object =>
  logprobs.length === 0 ? {} : { logprobs: logprobObjects(logprobs, false) }

function textOf(parts: readonly AnswerPart[], kinds: readonly string[]): string {
  return parts.map((part) => (kinds.includes(part.kind) && 'text' in part ? part.text : '')).join('')
}

/** RFC 3339. */
export const timeOf = ({ nowS }: Told): string => new Date(nowS * 1_000).toISOString()

/** Whether a thought comes back with the call alone: what is shown of an unsigned one comes back by itself. */
export function comesWithCall(part: AnswerPart, { showsThinking }: Told): part is Thought {
  if (part.kind !== 'reasoning') return part.kind === 'redacted'
  return part.signature !== null || (part.text !== '' && !showsThinking)
}

function callsOf(parts: readonly AnswerPart[], told: Told): readonly object[] {
  const signatures = new CallSignatures()
  const calls: object[] = []
  for (const part of parts) {
    if (comesWithCall(part, told)) signatures.keep(part)
    if (part.kind === 'call') calls.push(callObject(part, calls.length, signatures.take()))
  }
  return calls
}

/** @param signature of what was thought before it: clients that keep messages as they came give it back */
export function callObject(
  { id, name, json }: { readonly id: string; readonly name: string; readonly json: string },
  index: number,
  signature: string | null,
): object {
  return {
    id,
    function: { index, name, arguments: parsedRecord(json === '' ? '{}' : json) ?? {} },
    ...(signature !== null && { thought_signature: signature }),
  }
}

/** What the last line says besides. @param times in nanoseconds since the request came; `firstNs`: of the first part */
export function ending(
  finish: Finish,
  { inputTokens, outputTokens }: Usage,
  { totalNs, firstNs }: { readonly totalNs: number; readonly firstNs: number },
): object {
  return {
    done: true,
    done_reason: finish === 'length' ? 'length' : 'stop',
    total_duration: totalNs,
    load_duration: 0,
    prompt_eval_count: inputTokens,
    prompt_eval_duration: firstNs,
    eval_count: outputTokens,
    eval_duration: totalNs - firstNs || totalNs, // clients divide by it
  }
}
