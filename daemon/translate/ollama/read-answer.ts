import { type JsonRecord, parsedRecord, recordIn, recordsIn, textIn } from '../json-value.ts'
import type { AnswerPart, Finish, NeutralAnswer } from '../neutral.ts'
import { logprobsIn, type TokenLogprobs, withLogprobs } from '../token-logprobs.ts'
import { reportedUsage } from './usage.ts'

/** Reads a whole answer. @throws Error when it is not one */
export function readAnswer(answer: Buffer, requestId: string): NeutralAnswer {
  const response = parsedRecord(answer.toString('utf8'))
  if (response === null) throw new Error('the upstream answered with something other than JSON')
  const said = saidIn(response)
  const parts = said.map((part, index): AnswerPart => {
    if (part.kind === 'call') return { kind: 'call', id: idOf(requestId, index), name: part.name, json: part.json }
    return part.kind === 'text' ? part : { ...part, signature: null }
  })
  return {
    id: '',
    model: textIn(response['model']) ?? '',
    parts,
    finish: finishOf(response, said.some(isCall)),
    stopSequence: null,
    usage: reportedUsage(response),
  }
}

export type Said =
  | { readonly kind: 'text'; readonly text: string; readonly logprobs?: TokenLogprobs }
  | { readonly kind: 'reasoning'; readonly text: string }
  | { readonly kind: 'call'; readonly name: string; readonly json: string }

const isCall = ({ kind }: Said): boolean => kind === 'call'

/** What an answer, or a line of one, says. */
export function saidIn(response: JsonRecord): readonly Said[] {
  const message = recordIn(response['message'])
  const thought = textIn(message['thinking']) ?? textIn(response['thinking']) ?? ''
  const text = textIn(message['content']) ?? textIn(response['response']) ?? ''
  const calls = recordsIn(message['tool_calls']).map(({ function: called }): Said => {
    const { name, arguments: args } = recordIn(called)
    return {
      kind: 'call',
      name: textIn(name) ?? '',
      json: typeof args === 'string' ? args : JSON.stringify(args ?? {}),
    }
  })
  return [
    ...(thought === '' ? [] : [{ kind: 'reasoning', text: thought } as const]),
    ...(text === '' ? [] : [{ kind: 'text', text, ...withLogprobs(logprobsIn(response['logprobs'])) } as const]),
    ...calls,
  ]
}

/** Calls have no ids of their own. */
export const idOf = (requestId: string, index: number): string => `call_${requestId.replace(/[^\w-]/g, '_')}_${index}`

export function finishOf({ done_reason: reason }: JsonRecord, hasCalls: boolean): Finish {
  if (reason === 'length') return 'length'
  return hasCalls ? 'calls' : 'end'
}
