import type { PartStart, WrittenEvent } from '../neutral.ts'
import type { Told } from '../neutral-form.ts'
import { textFrame } from '../text-frame.ts'
import { errorFrame } from './error.ts'
import { deltaUsageObject } from './usage.ts'
import { callBlock, citationOf, isThinking, messageObject, NOT_STOPPED, signatureOf, stopOf } from './write-answer.ts'

/** Writes a stream of another dialect as a message's events. */
export function writeEvents({ model, showsThinking, requestId }: Told): (event: WrittenEvent) => string {
  let index = -1
  let deltaFrame = textFrame('')
  let isHidden = false
  let lacksSignature = false

  return (event) => {
    switch (event.kind) {
      case 'begin':
        return frame('message_start', {
          message: messageObject({ ...event, model: event.model || model }, [], NOT_STOPPED),
        })
      case 'part':
        lacksSignature = event.part.kind === 'reasoning'
        isHidden = !showsThinking && isThinking(event.part)
        if (isHidden) return ''
        index += 1
        deltaFrame = textFrame(frame('content_block_delta', { index, delta: emptyDelta(event.part.kind) }))
        return frame('content_block_start', { index, content_block: startOf(event.part) })
      case 'more':
        return isHidden ? '' : deltaFrame(event.text)
      case 'citation':
        return frame('content_block_delta', {
          index,
          delta: { type: 'citations_delta', citation: citationOf(event.citation) },
        })
      case 'signature':
        lacksSignature = false
        return isHidden ? '' : signatureFrame(index, event)
      case 'part-end': // clients forget thinking that has no signature, be it an empty one
        if (isHidden) return ''
        return (
          (lacksSignature ? signatureFrame(index, { signature: null }) : '') + frame('content_block_stop', { index })
        )
      case 'end':
        return (
          frame('message_delta', {
            delta: { ...stopOf(event), container: null },
            usage: deltaUsageObject(event.usage),
          }) + frame('message_stop', {})
        )
      case 'error':
        return errorFrame(event.error, index === -1, requestId)
    }
  }
}

const frame = (type: string, rest: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`

const signatureFrame = (index: number, signed: Parameters<typeof signatureOf>[0]): string =>
  frame('content_block_delta', { index, delta: { type: 'signature_delta', signature: signatureOf(signed) } })

function startOf(part: PartStart): object {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return { type: 'text', text: '', citations: null }
    case 'reasoning':
      return { type: 'thinking', thinking: '', signature: '' }
    case 'redacted':
      return { type: 'redacted_thinking', data: part.sealed }
    case 'call':
      return callBlock(part.id, part.name, {})
  }
}

function emptyDelta(part: PartStart['kind']): object {
  if (part === 'call') return { type: 'input_json_delta', partial_json: '' }
  return part === 'reasoning' ? { type: 'thinking_delta', thinking: '' } : { type: 'text_delta', text: '' }
}
