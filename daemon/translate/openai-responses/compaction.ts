import type { Endpoint } from '../call.ts'
import { type JsonRecord, textIn } from '../json-value.ts'
import type { NeutralAnswer, NeutralMessage, Usage } from '../neutral.ts'
import { responseId } from './response-object.ts'
import { usageObject } from './usage.ts'

/** What a client keeps of a conversation that Gate had a model sum up. What begins otherwise is OpenAI's own. */
const COMPACTED = 'gate-compacted#'

const TASK =
  'Sum up this conversation for a model that will go on with it and sees nothing else of it: what is wanted, what was ' +
  'found out and decided, what was done (names, paths and values as they are), and what is left to do. Write the summary alone.'

export const isCompaction = ({ path }: Endpoint): boolean => path.endsWith('/compact')

/** What a model is asked to do in the end. */
export const TASK_MESSAGE: NeutralMessage = { role: 'user', parts: [{ kind: 'text', text: TASK }] }

/** The conversation that a compaction item stands for; null: it is another provider's. */
export function summaryIn(item: JsonRecord): string | null {
  const sealed = textIn(item['encrypted_content']) ?? ''
  if (!sealed.startsWith(COMPACTED)) return null
  const summary = Buffer.from(sealed.slice(COMPACTED.length), 'base64url').toString('utf8')
  return `What was said before, summed up:\n\n${summary}`
}

/** A compacted conversation. */
export function compactionObject(answer: NeutralAnswer & { readonly usage: Usage }, requestId: string, nowS: number) {
  const text = answer.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('')
  const id = requestId.replace(/^req_/, '')
  const sealed = COMPACTED + Buffer.from(text).toString('base64url')
  return {
    id: responseId(requestId),
    object: 'response.compaction',
    created_at: nowS,
    output: [{ id: `cmp_${id}`, type: 'compaction', encrypted_content: sealed }],
    usage: usageObject(answer.usage),
  }
}
