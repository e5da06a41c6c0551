import { answerId } from '../answer-id.ts'
import { CallSignatures, isSigned } from '../call-signature.ts'
import { urlCitation } from '../citation.ts'
import { inputOf } from '../freeform.ts'
import type { AnswerPart, Finish, NeutralAnswer, Usage } from '../neutral.ts'
import type { Told } from '../neutral-form.ts'
import { serviceTierOf } from '../openai-limits.ts'
import { logprobObjects, type TokenLogprobs } from '../token-logprobs.ts'

/** Writes a whole answer of another dialect as a chat completion. */
export function writeAnswer(
  answer: NeutralAnswer & { readonly usage: Usage },
  { model, nowS, freeform }: Told,
): object {
  const { id, parts, finish, usage } = answer
  const calls = callsIn(parts)
  const text = textOf(parts, 'text')
  const thought = textOf(parts, 'reasoning')
  const refusal = textOf(parts, 'refusal')
  const annotations = annotationsOf(parts)
  const logprobs = parts.flatMap((part) => (part.kind === 'text' ? (part.logprobs ?? []) : []))
  const message = {
    role: 'assistant',
    content: text === '' && (calls.length > 0 || refusal !== '') ? null : text,
    refusal: refusal === '' ? null : refusal,
    ...(annotations.length > 0 && { annotations }),
    ...(thought !== '' && { reasoning_content: thought }),
    ...(calls.length > 0 && {
      tool_calls: calls.map(({ id, name, json, signature }) => ({
        id,
        ...(freeform.has(name)
          ? { type: 'custom', custom: { name, input: inputOf(json) } }
          : { type: 'function', function: { name, arguments: json } }),
        ...signedCall(signature),
      })),
    }),
  }
  return {
    id: answerId('chatcmpl-', id),
    object: 'chat.completion',
    created: nowS,
    model: answer.model || model,
    choices: [{ index: 0, message, logprobs: logprobsObject(logprobs), finish_reason: REASONS[finish] }],
    ...(serviceTierOf(usage) !== null && { service_tier: serviceTierOf(usage) }),
    usage: usageObject(usage),
  }
}

/** What the texts rest on, which are one here. */
function annotationsOf(parts: readonly AnswerPart[]): readonly object[] {
  let start = 0
  return parts.flatMap((part) => {
    if (part.kind !== 'text') return []
    const all = { start, end: start + part.text.length }
    start = all.end
    return (part.citations ?? []).map((citation) => annotationOf(citation, all))
  })
}

export const annotationOf = (...cited: Parameters<typeof urlCitation>): object => ({
  type: 'url_citation',
  url_citation: urlCitation(...cited),
})

/** Of the tokens of a text; null: nothing is known of them. */
export const logprobsObject = (logprobs: TokenLogprobs = []): object | null =>
  logprobs.length === 0 ? null : { content: logprobObjects(logprobs), refusal: null }

type SignedCall = Extract<AnswerPart, { readonly kind: 'call' }> & { readonly signature: string | null }

/** The calls, each with what was thought before it. */
function callsIn(parts: readonly AnswerPart[]): readonly SignedCall[] {
  const signatures = new CallSignatures()
  return parts.flatMap((part): readonly SignedCall[] => {
    if (isSigned(part)) signatures.keep(part)
    return part.kind === 'call' ? [{ ...part, signature: signatures.take() }] : []
  })
}

/**
 * Where Google's own route for clients of OpenAI has the signature of a call, which must come back.
 * @see https://ai.google.dev/gemini-api/docs/thought-signatures
 */
export function signedCall(signature: string | null): object {
  return signature === null ? {} : { extra_content: { google: { thought_signature: signature } } }
}

function textOf(parts: readonly AnswerPart[], kind: 'text' | 'reasoning' | 'refusal'): string {
  return parts.map((part) => (part.kind === kind ? part.text : '')).join('')
}

export const REASONS: Readonly<Record<Finish, string>> = {
  end: 'stop',
  'stop-sequence': 'stop',
  paused: 'stop',
  length: 'length',
  calls: 'tool_calls',
  refused: 'content_filter',
}

export function usageObject(usage: Usage): object {
  const { inputTokens, outputTokens, cachedTokens, cacheWriteTokens, reasoningTokens, audioTokens } = usage
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: {
      cached_tokens: cachedTokens,
      ...(audioTokens !== undefined && { audio_tokens: audioTokens }),
      ...(cacheWriteTokens !== undefined && { cache_write_tokens: cacheWriteTokens }),
    },
    completion_tokens_details: { reasoning_tokens: reasoningTokens },
  }
}
