import { CallSignatures } from '../call-signature.ts'
import { parsedRecord } from '../json-value.ts'
import type { AnswerPart, Finish, NeutralAnswer, Usage } from '../neutral.ts'
import type { Told } from '../neutral-form.ts'
import { groundingOf } from './citations.ts'
import { logprobsResult } from './logprobs.ts'
import { usageObject } from './usage.ts'

/** Writes a whole answer of another dialect as generated content. */
export function writeAnswer(answer: NeutralAnswer & { readonly usage: Usage }, { model, showsThinking }: Told): object {
  const signatures = new CallSignatures()
  const parts = answer.parts.flatMap((part) => partsOf(part, signatures, showsThinking))
  const logprobs = answer.parts.flatMap((part) => (part.kind === 'text' ? (part.logprobs ?? []) : []))
  const citations = answer.parts.flatMap((part) => (part.kind === 'text' ? (part.citations ?? []) : []))
  const candidate = { content: contentOf(parts), finishReason: REASONS[answer.finish], index: 0 }
  return {
    candidates: [{ ...candidate, ...logprobsResult(logprobs), ...groundingOf(citations) }],
    usageMetadata: usageObject(answer.usage),
    modelVersion: answer.model || model,
    responseId: answer.id,
  }
}

/** Clients take a turn without any part for a failed one, and forget it. */
export const contentOf = (parts: readonly object[]): object => ({
  role: 'model',
  parts: parts.length === 0 ? [{ text: '' }] : parts,
})

export const REASONS: Readonly<Record<Finish, string>> = {
  end: 'STOP',
  'stop-sequence': 'STOP',
  paused: 'STOP',
  calls: 'STOP',
  length: 'MAX_TOKENS',
  refused: 'SAFETY',
}

function partsOf(part: AnswerPart, signatures: CallSignatures, showsThinking: boolean): readonly object[] {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [{ text: part.text }]
    case 'reasoning':
    case 'redacted':
      signatures.keep(part)
      return part.kind === 'reasoning' && showsThinking && part.text !== '' ? [{ text: part.text, thought: true }] : []
    case 'call':
      return [callPart(part.id, part.name, part.json, signatures.take())]
  }
}

export function callPart(id: string, name: string, json: string, signature: string | null): object {
  const args = parsedRecord(json === '' ? '{}' : json) ?? {}
  return { functionCall: { id, name, args }, ...(signature !== null && { thoughtSignature: signature }) }
}
