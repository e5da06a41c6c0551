import { citationsIn, withCitations } from '../citation.ts'
import { jsonOfInput } from '../freeform.ts'
import { isRecord, type JsonRecord, parsedRecord, recordIn, recordsIn, textIn } from '../json-value.ts'
import type { AnswerPart, Finish, NeutralAnswer } from '../neutral.ts'
import { logprobsIn, withLogprobs } from '../token-logprobs.ts'
import { failureIn } from './error.ts'
import { reasoningOf } from './reasoning.ts'
import { flatName } from './tools.ts'
import { reportedUsage } from './usage.ts'

/** Reads a whole answer. @throws Error when it is no response, or has failed */
export function readAnswer(answer: Buffer): NeutralAnswer {
  const response: unknown = JSON.parse(answer.toString('utf8'))
  if (!isRecord(response) || !Array.isArray(response['output'])) {
    throw new Error('the upstream answered without output')
  }
  const failure = failureIn(response)
  if (failure !== null) throw new Error(failure)
  if (response['status'] === 'cancelled') throw new Error('the upstream cancelled its answer')
  const isCut = response['status'] === 'incomplete'
  const parts = recordsIn(response['output']).flatMap((item) => partsOf(item, isCut))
  return {
    id: textIn(response['id']) ?? '',
    model: textIn(response['model']) ?? '',
    parts,
    finish: finishOf(response, {
      hasCalls: parts.some(({ kind }) => kind === 'call'),
      hasRefused: parts.some(({ kind }) => kind === 'refusal'),
    }),
    stopSequence: null,
    usage: reportedUsage(response),
  }
}

/**
 * Items of tools that the provider runs itself are nothing that a client could answer.
 * @param isCut the answer met its limit, so that its last call may be incomplete: that one is left out
 */
function partsOf(item: JsonRecord, isCut: boolean): readonly AnswerPart[] {
  switch (item['type']) {
    case 'message':
      return recordsIn(item['content']).flatMap(contentOf)
    case 'reasoning':
      return [reasoningOf(item)]
    case 'function_call':
    case 'custom_tool_call': {
      const json = jsonOf(item)
      return isCut && parsedRecord(json) === null ? [] : [{ kind: 'call', ...nameOf(item), json }]
    }
    default:
      return []
  }
}

function contentOf(part: JsonRecord): readonly AnswerPart[] {
  if (part['type'] === 'refusal') return [{ kind: 'refusal', text: textIn(part['refusal']) ?? '' }]
  const text = textIn(part['text']) ?? ''
  return text === ''
    ? []
    : [
        {
          kind: 'text',
          text,
          ...withLogprobs(logprobsIn(part['logprobs'])),
          ...withCitations(citationsIn(part['annotations'])),
        },
      ]
}

/** How a call is known in the neutral form. */
export function nameOf(item: JsonRecord): { readonly id: string; readonly name: string } {
  return {
    id: textIn(item['call_id']) || textIn(item['id']) || '',
    name: flatName(textIn(item['namespace']), textIn(item['name']) ?? ''),
  }
}

/** The arguments of a call as JSON; a text that is none is put into an object. */
export function jsonOf(item: JsonRecord): string {
  if (item['type'] === 'custom_tool_call') return jsonOfInput(item['input'])
  const json = textIn(item['arguments']) ?? ''
  return json.trim() === '' ? '{}' : json
}

export function finishOf(
  response: JsonRecord,
  { hasCalls, hasRefused }: { readonly hasCalls: boolean; readonly hasRefused: boolean },
): Finish {
  const { reason } = recordIn(response['incomplete_details'])
  if (reason === 'max_output_tokens') return 'length'
  if (reason === 'content_filter' || hasRefused) return 'refused'
  if (response['status'] === 'incomplete') return 'length'
  return hasCalls ? 'calls' : 'end'
}
