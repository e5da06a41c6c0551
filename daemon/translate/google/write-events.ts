import { CallSignatures } from '../call-signature.ts'
import type { Citation } from '../citation.ts'
import type { PartStart, ReasoningPart, WrittenEvent } from '../neutral.ts'
import type { Told } from '../neutral-form.ts'
import { groundingOf } from './citations.ts'
import { errorBody } from './error.ts'
import { logprobsResult } from './logprobs.ts'
import { usageObject } from './usage.ts'
import { callPart, contentOf, REASONS } from './write-answer.ts'

/** Puts a part of an answer, or an error, into the stream. */
export type Framing = (json: string) => string

export const eventFrame: Framing = (json) => `data: ${json}\n\n`

type Signed = Pick<ReasoningPart, 'signature' | 'signedBy'>
const NOT_SIGNED: Signed = { signature: null }

/** Writes a stream of another dialect as parts of generated content. A call is written when all of it is there. */
export function writeContentEvents(
  { model, showsThinking }: Told,
  { frame, close }: { readonly frame: Framing; readonly close: string },
): (event: WrittenEvent) => string {
  const signatures = new CallSignatures()
  let head = { modelVersion: model, responseId: '' }
  let part: PartStart = { kind: 'text' }
  let text = ''
  let signed: Signed = NOT_SIGNED
  const citations: Citation[] = []
  /** The call that came last: what is thought after it, at the end, is in its signature as well. */
  let held: ((signature: string | null) => string) | null = null

  const content = (parts: readonly object[], rest: object = {}, usage: object = {}) =>
    frame(JSON.stringify({ candidates: [{ content: contentOf(parts), ...rest, index: 0 }], ...usage, ...head }))

  const holding =
    (call: Extract<PartStart, { readonly kind: 'call' }>, json: string, own: string | null) =>
    (late: string | null): string =>
      content([callPart(call.id, call.name, json, own ?? late)])
  const release = (signature: string | null): string => {
    const call = held?.(signature) ?? ''
    held = null
    return call
  }

  return (event) => {
    switch (event.kind) {
      case 'begin':
        head = { modelVersion: event.model || model, responseId: event.id }
        return ''
      case 'part':
        part = event.part
        text = ''
        signed = NOT_SIGNED
        if (part.kind === 'redacted') signatures.keep(part)
        return part.kind === 'redacted' || part.kind === 'reasoning' ? '' : release(null)
      case 'more':
        if (part.kind === 'text' || part.kind === 'refusal')
          return content([{ text: event.text }], logprobsResult(event.logprobs))
        text += event.text
        return part.kind === 'reasoning' && showsThinking ? content([{ text: event.text, thought: true }]) : ''
      case 'citation':
        citations.push(event.citation)
        return ''
      case 'signature':
        signed = event
        return ''
      case 'part-end':
        if (part.kind === 'reasoning') signatures.keep({ ...signed, kind: 'reasoning', text })
        if (part.kind === 'call') held = holding(part, text, signatures.take())
        return ''
      case 'end':
        return (
          release(signatures.take()) +
          content(
            [],
            { finishReason: REASONS[event.finish], ...groundingOf(citations) },
            { usageMetadata: usageObject(event.usage) },
          ) +
          close
        )
      case 'error':
        return release(null) + frame(JSON.stringify(errorBody(event.error))) + close
    }
  }
}
