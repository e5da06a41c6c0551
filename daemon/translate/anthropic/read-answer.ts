import { type Citation, withCitations } from '../citation.ts'
import { isRecord, type JsonRecord, recordIn, recordsIn, textIn } from '../json-value.ts'
import type { AnswerPart, Finish, NeutralAnswer } from '../neutral.ts'
import { readUsage } from './usage.ts'

/** Reads a whole answer. @throws Error when it is no message */
export function readAnswer(answer: Buffer): NeutralAnswer {
  const message: unknown = JSON.parse(answer.toString('utf8'))
  if (!isRecord(message) || !Array.isArray(message['content'])) throw new Error('the upstream answered without content')
  const refusal = refusalIn(message)
  return {
    id: textIn(message['id']) ?? '',
    model: textIn(message['model']) ?? '',
    parts: [
      ...recordsIn(message['content']).flatMap(partOf),
      ...(refusal === null ? [] : [{ kind: 'refusal', text: refusal } as const]),
    ],
    finish: finishOf(message['stop_reason']),
    stopSequence: textIn(message['stop_sequence']),
    usage: readUsage(message['usage'], null),
  }
}

/** Blocks of tools that the provider runs itself are nothing that a client could answer. */
function partOf(block: JsonRecord): readonly AnswerPart[] {
  switch (block['type']) {
    case 'text':
      return [{ kind: 'text', text: textIn(block['text']) ?? '', ...withCitations(citationsIn(block['citations'])) }]
    case 'thinking':
      return [
        { kind: 'reasoning', text: textIn(block['thinking']) ?? '', signature: textIn(block['signature']) || null },
      ]
    case 'redacted_thinking':
      return [{ kind: 'redacted', sealed: textIn(block['data']) ?? '' }]
    case 'tool_use': {
      const json = JSON.stringify(block['input'] ?? {})
      return [{ kind: 'call', id: textIn(block['id']) ?? '', name: textIn(block['name']) ?? '', json }]
    }
    default:
      return []
  }
}

/** Why the model refused, in words. */
export const refusalIn = ({ stop_details: details }: JsonRecord): string | null =>
  textIn(recordIn(details)['explanation']) || null

/** Those of what was found on the web or by the client: of both all of a text rests on them. */
export const citationsIn = (citations: unknown): readonly Citation[] =>
  recordsIn(citations).flatMap(({ url, source, title }): readonly Citation[] => {
    const address = textIn(url) ?? textIn(source)
    return address === null ? [] : [{ url: address, title: textIn(title), range: null }]
  })

const FINISHES: Readonly<Record<string, Finish>> = {
  end_turn: 'end',
  stop_sequence: 'stop-sequence',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'calls',
  refusal: 'refused',
  pause_turn: 'paused',
}

export const finishOf = (reason: unknown): Finish => FINISHES[String(reason)] ?? 'end'
