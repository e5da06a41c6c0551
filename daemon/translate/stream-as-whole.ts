import type { Citation } from './citation.ts'
import type { AnswerPart, NeutralAnswer, PartStart, Usage, WrittenEvent } from './neutral.ts'
import { type TokenLogprobs, withLogprobs } from './token-logprobs.ts'

type Whole = NeutralAnswer & { readonly usage: Usage }

/** A part as far as it has come. */
type Open = {
  readonly start: PartStart
  text: string
  readonly logprobs: TokenLogprobs[number][]
  readonly citations: Citation[]
  signed: { readonly signature: string; readonly signedBy?: string | undefined } | null
}

/**
 * Puts the steps of a stream together, for a client that asked for a whole answer when its upstream sent a stream.
 * @param write what says the answer, once its end has come
 */
export function wholeOf(write: (answer: Whole) => string): (event: WrittenEvent) => string {
  const parts: AnswerPart[] = []
  let begun = { id: '', model: '' }
  let open: Open | null = null
  return (event) => {
    switch (event.kind) {
      case 'begin':
        begun = event
        break
      case 'part':
        open = { start: event.part, text: '', logprobs: [], citations: [], signed: null }
        break
      case 'more':
        if (open === null) break
        open.text += event.text
        open.logprobs.push(...(event.logprobs ?? []))
        break
      case 'signature':
        if (open !== null) open.signed = event
        break
      case 'citation':
        open?.citations.push(event.citation)
        break
      case 'part-end':
        if (open !== null) parts.push(partOf(open))
        open = null
        break
      case 'end': {
        const { finish, stopSequence, usage } = event
        return write({ id: begun.id, model: begun.model, parts, finish, stopSequence, usage })
      }
      case 'error': // it is said in place of the answer
    }
    return ''
  }
}

function partOf({ start, text, logprobs, citations, signed }: Open): AnswerPart {
  switch (start.kind) {
    case 'redacted':
      return start
    case 'call':
      return { ...start, json: text }
    case 'reasoning':
      return { kind: 'reasoning', text, signature: signed?.signature ?? null, signedBy: signed?.signedBy }
    case 'refusal':
      return { kind: 'refusal', text }
    case 'text':
      return { kind: 'text', text, ...withLogprobs(logprobs), ...(citations.length > 0 && { citations }) }
  }
}
