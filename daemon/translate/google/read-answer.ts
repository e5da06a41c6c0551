import { SIGNED_BY } from '../call-signature.ts'
import { withCitations } from '../citation.ts'
import { isRecord, type JsonRecord, numberIn, recordIn, recordsIn, textIn } from '../json-value.ts'
import type { AnswerPart, Finish, NeutralAnswer } from '../neutral.ts'
import { withLogprobs } from '../token-logprobs.ts'
import { citationsOf } from './citations.ts'
import { logprobsOf } from './logprobs.ts'
import { reportedUsage } from './usage.ts'

/** Reads a whole answer. @throws Error when it is no generated content, or says that a call in it is malformed */
export function readAnswer(answer: Buffer, requestId: string): NeutralAnswer {
  const response: unknown = JSON.parse(answer.toString('utf8'))
  if (!isRecord(response)) throw new Error('the upstream answered without any candidate')
  const id = textIn(response['responseId']) ?? ''
  const blocked = blockedIn(response)
  const candidate = firstCandidate(response)
  if (candidate === undefined && blocked === null) throw new Error('the upstream answered without any candidate')
  const refusal = refusalIn(candidate ?? {})
  const answered = [...partsOf(candidate ?? {}, id || requestId), ...(refusal === null ? [] : [refusal])]
  const said = blocked === null ? answered : [blocked]
  const firstText = said.findIndex(({ kind }) => kind === 'text')
  const parts = said.map((part, at) =>
    part.kind === 'text' && at === firstText
      ? { ...part, ...withLogprobs(logprobsOf(candidate ?? {})), ...withCitations(citationsOf(candidate ?? {})) }
      : part,
  )
  return {
    id,
    model: textIn(response['modelVersion']) ?? '',
    parts,
    finish: finishOf(candidate ?? {}, {
      hasCalls: parts.some(({ kind }) => kind === 'call'),
      isBlocked: blocked !== null,
    }),
    stopSequence: null,
    usage: reportedUsage(response),
  }
}

function partsOf(candidate: JsonRecord, id: string): readonly AnswerPart[] {
  const parts: AnswerPart[] = []
  let calls = 0
  for (const part of saidIn(candidate)) {
    const last = parts.at(-1)
    if (part.kind === 'call') {
      const { call, signature } = part
      if (signature !== null && last?.kind === 'reasoning') {
        parts[parts.length - 1] = { ...last, signature, signedBy: SIGNED_BY }
      } else if (signature !== null) parts.push({ kind: 'reasoning', text: '', signature, signedBy: SIGNED_BY })
      parts.push({ kind: 'call', ...call, id: call.id || idOf(id, calls) })
      calls += 1
    } else if (last?.kind === part.kind && last.kind === 'text') {
      parts[parts.length - 1] = { ...last, text: last.text + part.text }
    } else if (last?.kind === part.kind && last.kind === 'reasoning') {
      parts[parts.length - 1] = { ...last, text: last.text + part.text }
    } else if (part.kind === 'text') parts.push({ kind: 'text', text: part.text })
    else parts.push({ kind: 'reasoning', text: part.text, signature: null })
  }
  return parts
}

/** What a candidate, or a part of one, says. */
export type Said =
  | { readonly kind: 'text' | 'reasoning'; readonly text: string }
  | {
      readonly kind: 'call'
      readonly call: { readonly id: string; readonly name: string; readonly json: string }
      /** Of the thought behind the call. */
      readonly signature: string | null
    }

/** Signatures of texts are left out: they need not come back. */
export function saidIn(candidate: JsonRecord): readonly Said[] {
  return recordsIn(recordIn(candidate['content'])['parts']).flatMap((part): readonly Said[] => {
    const { text, thought, functionCall, thoughtSignature } = part
    if (isRecord(functionCall)) {
      const { id, name, args } = functionCall
      const call = { id: textIn(id) ?? '', name: textIn(name) ?? '', json: JSON.stringify(args ?? {}) }
      return [{ kind: 'call', call, signature: textIn(thoughtSignature) || null }]
    }
    if (typeof text === 'string') return text === '' ? [] : [{ kind: thought === true ? 'reasoning' : 'text', text }]
    return otherIn(part)
  })
}

/** What code Google ran, what came of it, and media: as Markdown. */
function otherIn({ executableCode, codeExecutionResult, inlineData }: JsonRecord): readonly Said[] {
  const code = textIn(recordIn(executableCode)['code']) ?? textIn(recordIn(codeExecutionResult)['output'])
  if (code !== null) return [{ kind: 'text', text: `\n\`\`\`\n${code}\n\`\`\`\n` }]
  const { mimeType, data } = recordIn(inlineData)
  return typeof data === 'string' ? [{ kind: 'text', text: `![](data:${mimeType};base64,${data})` }] : []
}

/** For a call without one. */
export const idOf = (answerId: string, index: number): string => `call_${answerId.replace(/[^\w-]/g, '_')}_${index}`

/** The first of several candidates; no other is read. */
export const firstCandidate = (response: JsonRecord): JsonRecord | undefined =>
  recordsIn(response['candidates']).find(({ index }) => (numberIn(index) ?? 0) === 0)

/** The refusal of a prompt; null when it was not refused. */
export function blockedIn(response: JsonRecord): Refusal | null {
  const { blockReason, blockReasonMessage } = recordIn(response['promptFeedback'])
  if (typeof blockReason !== 'string') return null
  const message = textIn(blockReasonMessage)
  return {
    kind: 'refusal',
    text: `Google refused the prompt: ${blockReason}${message === null ? '' : ` (${message})`}`,
  }
}

type Refusal = Extract<AnswerPart, { readonly kind: 'refusal' }>

/** Why an answer was not told, in words. */
export function refusalIn({ finishReason, finishMessage }: JsonRecord): Refusal | null {
  const text = REFUSED.has(String(finishReason)) ? (textIn(finishMessage) ?? '') : ''
  return text === '' ? null : { kind: 'refusal', text }
}

/** Reasons for which an answer is not worth having: another try may do better. */
const FAILED = new Set([
  'MALFORMED_FUNCTION_CALL',
  'MALFORMED_RESPONSE',
  'MISSING_THOUGHT_SIGNATURE',
  'TOO_MANY_TOOL_CALLS',
  'UNEXPECTED_TOOL_CALL',
])

const REFUSED = new Set([
  'BLOCKLIST',
  'ESCALATION',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
  'IMAGE_SAFETY',
  'LANGUAGE',
  'MODEL_ARMOR',
  'PROHIBITED_CONTENT',
  'PUP_LIMITED_DISABLED',
  'RECITATION',
  'SAFETY',
  'SPII',
])

/** @throws Error when the answer is not worth having */
export function finishOf(
  { finishReason, finishMessage }: JsonRecord,
  { hasCalls, isBlocked }: { readonly hasCalls: boolean; readonly isBlocked: boolean },
): Finish {
  const reason = String(finishReason)
  if (FAILED.has(reason)) {
    const message = textIn(finishMessage)
    throw new Error(`the upstream ended its answer with ${reason}${message === null ? '' : `: ${message}`}`)
  }
  if (isBlocked || REFUSED.has(reason)) return 'refused'
  if (reason === 'MAX_TOKENS') return 'length'
  if (reason === 'CONTINUATION') return 'paused'
  return hasCalls ? 'calls' : 'end'
}
