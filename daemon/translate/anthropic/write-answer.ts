import { answerId } from '../answer-id.ts'
import type { Citation } from '../citation.ts'
import { parsedRecord } from '../json-value.ts'
import type { AnswerPart, Finish, NeutralAnswer, ReasoningPart, Usage } from '../neutral.ts'
import type { Told } from '../neutral-form.ts'
import { NO_INDEX } from './foreign-thoughts.ts'
import { usageObject } from './usage.ts'

/** Writes a whole answer of another dialect as a message. */
export function writeAnswer(answer: NeutralAnswer & { readonly usage: Usage }, told: Told): object {
  const content = answer.parts.filter((part) => told.showsThinking || !isThinking(part)).map(blockOf)
  return messageObject({ ...answer, model: answer.model || told.model }, content, stopOf(answer))
}

export const isThinking = ({ kind }: { readonly kind: string }): boolean => kind === 'reasoning' || kind === 'redacted'

/** A message, complete or as it begins. */
export function messageObject(
  { id, model, usage }: { readonly id: string; readonly model: string; readonly usage: Usage },
  content: readonly object[],
  stop: object,
): object {
  const rest = { ...stop, container: null, diagnostics: null, usage: usageObject(usage) }
  return { id: answerId('msg_', id), type: 'message', role: 'assistant', model, content, ...rest }
}

const REASONS: Readonly<Record<Finish, string>> = {
  end: 'end_turn',
  'stop-sequence': 'stop_sequence',
  length: 'max_tokens',
  calls: 'tool_use',
  refused: 'refusal',
  paused: 'pause_turn',
}

export const NOT_STOPPED = { stop_reason: null, stop_sequence: null, stop_details: null }

/** Why it stopped; a sequence that is named has stopped it. */
export function stopOf({ finish, stopSequence }: Pick<NeutralAnswer, 'finish' | 'stopSequence'>): object {
  const reason = REASONS[finish === 'end' && stopSequence !== null ? 'stop-sequence' : finish]
  return { stop_reason: reason, stop_sequence: reason === 'stop_sequence' ? stopSequence : null, stop_details: null }
}

function blockOf(part: AnswerPart): object {
  switch (part.kind) {
    case 'text':
      return { type: 'text', text: part.text, citations: part.citations?.map(citationOf) ?? null }
    case 'refusal':
      return { type: 'text', text: part.text, citations: null }
    case 'reasoning':
      return { type: 'thinking', thinking: part.text, signature: signatureOf(part) }
    case 'redacted':
      return { type: 'redacted_thinking', data: part.sealed }
    case 'call':
      return callBlock(part.id, part.name, parsedRecord(part.json) ?? {})
  }
}

/** What Anthropic has found itself has an index: where it has none, another provider found it. */
export const citationOf = ({ url, title }: Citation): object => ({
  type: 'web_search_result_location',
  url,
  title,
  cited_text: '',
  encrypted_index: NO_INDEX,
})

/** Names who signed it, so that only that one gets it back. */
export function signatureOf({ signature, signedBy }: Pick<ReasoningPart, 'signature' | 'signedBy'>): string {
  if (signature === null) return ''
  return signedBy === undefined ? signature : `${signedBy}:${signature}`
}

export const callBlock = (id: string, name: string, input: object): object => ({
  type: 'tool_use',
  id,
  name,
  input,
  caller: { type: 'direct' },
})
