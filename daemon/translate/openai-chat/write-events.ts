import { answerId } from '../answer-id.ts'
import { CallSignatures } from '../call-signature.ts'
import { inputOf } from '../freeform.ts'
import type { PartStart, WrittenEvent } from '../neutral.ts'
import type { Told } from '../neutral-form.ts'
import { textFrame } from '../text-frame.ts'
import type { TokenLogprobs } from '../token-logprobs.ts'
import { errorFrame } from './error.ts'
import { annotationOf, logprobsObject, REASONS, signedCall, usageObject } from './write-answer.ts'

const DONE = 'data: [DONE]\n\n'

/** Writes a stream of another dialect as chat completion chunks. */
export function writeEvents({ model, nowS, showsUsage, freeform }: Told): (event: WrittenEvent) => string {
  let head = { id: '', object: 'chat.completion.chunk', created: nowS, model }
  let part: PartStart['kind'] = 'text'
  let calls = 0
  let isSaid = false
  let isFreeform = false
  let deltaFrame = textFrame('')
  let text = ''
  /** Characters of the content so far, and where the part that is open began. */
  let length = 0
  let start = 0
  const signatures = new CallSignatures()

  const chunk = (delta: object, reason: string | null = null) => frame({ choices: [choice(delta, reason)] })
  const frame = (rest: object) => `data: ${JSON.stringify({ ...head, ...rest })}\n\n`
  const choice = (delta: object, reason: string | null) => ({ index: 0, delta, logprobs: null, finish_reason: reason })
  const likelyText = (content: string, logprobs: TokenLogprobs) =>
    frame({ choices: [{ ...choice({ content }, null), logprobs: logprobsObject(logprobs) }] })
  const callDelta = (fields: object) => chunk({ tool_calls: [{ index: calls - 1, ...fields }] })

  return (event) => {
    switch (event.kind) {
      case 'begin':
        head = { ...head, id: answerId('chatcmpl-', event.id), model: event.model || model }
        return chunk({ role: 'assistant', content: '' })
      case 'part': {
        part = event.part.kind
        start = length
        isSaid = false
        text = ''
        if (event.part.kind === 'redacted') signatures.keep(event.part)
        if (event.part.kind !== 'call') {
          deltaFrame = textFrame(chunk({ [FIELDS[event.part.kind]]: '' }))
          return ''
        }
        calls += 1
        deltaFrame = textFrame(callDelta({ function: { arguments: '' } }))
        const { id, name } = event.part
        const signed = signedCall(signatures.take())
        isFreeform = freeform.has(name)
        if (isFreeform) return callDelta({ id, type: 'custom', custom: { name, input: '' }, ...signed })
        return callDelta({ id, type: 'function', function: { name, arguments: '' }, ...signed })
      }
      case 'more':
        isSaid ||= event.text !== ''
        if (part === 'text') length += event.text.length
        if (part === 'reasoning') text += event.text
        if (part === 'call' && isFreeform) {
          text += event.text // a text without JSON is known when all of it has come
          return ''
        }
        return event.logprobs === undefined ? deltaFrame(event.text) : likelyText(event.text, event.logprobs)
      case 'part-end': // clients parse the arguments, also of a call that has none
        if (part === 'call' && isFreeform) return callDelta({ custom: { input: inputOf(text) } })
        return part === 'call' && !isSaid ? callDelta({ function: { arguments: '{}' } }) : ''
      case 'citation':
        return chunk({ annotations: [annotationOf(event.citation, { start, end: length })] })
      case 'signature':
        signatures.keep({ ...event, kind: 'reasoning', text })
        return ''
      case 'end':
        return (
          chunk({}, REASONS[event.finish]) +
          (showsUsage ? frame({ choices: [], usage: usageObject(event.usage) }) : '') +
          DONE
        )
      case 'error':
        return errorFrame(event.error)
    }
  }
}

/** The field of a delta in which each part is said. */
const FIELDS: Readonly<Record<Exclude<PartStart['kind'], 'call'>, string>> = {
  text: 'content',
  reasoning: 'reasoning_content',
  redacted: 'content',
  refusal: 'refusal',
}
