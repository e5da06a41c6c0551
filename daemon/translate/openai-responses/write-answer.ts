import type { AnswerPart, NeutralAnswer, Usage } from '../neutral.ts'
import type { Told } from '../neutral-form.ts'
import { compactionObject, isCompaction } from './compaction.ts'
import { callItem, messageItem, reasoningItem, refusalPart, statusOfCall, textPart, toolNames } from './items.ts'
import { sealedOf, sealedOfRedacted } from './reasoning.ts'
import { endOf, responseObject } from './response-object.ts'

/** Writes a whole answer of another dialect as a response. */
export function writeAnswer(answer: NeutralAnswer & { readonly usage: Usage }, told: Told): object {
  const { parts, finish, usage } = answer
  if (isCompaction(told.call.endpoint)) return compactionObject(answer, told.requestId, told.nowS)
  const end = endOf(
    finish,
    parts.some(({ kind }) => kind === 'refusal'),
  )
  const output = itemsOf(parts, told, end.status === 'completed' ? 'completed' : 'incomplete')
  return responseObject(told, { ...end, model: answer.model || told.model, output, usage })
}

/** Texts and refusals in a row are one message. @param status of the last item, when it is a message */
function itemsOf(parts: readonly AnswerPart[], told: Told, status: 'completed' | 'incomplete'): readonly object[] {
  const { requestId } = told
  const nameOf = toolNames(told)
  const items: object[] = []
  let content: object[] = []
  const endMessage = (how: 'completed' | 'incomplete') => {
    if (content.length > 0) items.push(messageItem({ requestId, index: items.length }, content, how))
    content = []
  }
  for (const part of parts) {
    if (part.kind === 'text') content.push(textPart(part.text, part.logprobs, part.citations))
    else if (part.kind === 'refusal') content.push(refusalPart(part.text))
    else {
      endMessage('completed')
      const place = { requestId, index: items.length }
      if (part.kind === 'reasoning') items.push(reasoningItem(place, part.text, sealedOf(part)))
      else if (part.kind === 'redacted') items.push(reasoningItem(place, '', sealedOfRedacted(part)))
      else items.push(callItem(place, part, nameOf(part.name), statusOfCall(part.json)))
    }
  }
  endMessage(status)
  return items
}
