import { type Citation, citationsIn, withCitations } from '../citation.ts'
import { jsonOfInput } from '../freeform.ts'
import { isRecord, type JsonRecord, listIn, parsedRecord, recordIn, recordsIn, textIn } from '../json-value.ts'
import type { AnswerPart, Finish, NeutralAnswer } from '../neutral.ts'
import { logprobsIn, type TokenLogprobs, withLogprobs } from '../token-logprobs.ts'
import { detailsIn, signatureOf, textOf } from './reasoning-details.ts'
import { reportedUsage } from './usage.ts'

/** Reads a whole answer. @throws Error when it is no chat completion */
export function readAnswer(answer: Buffer): NeutralAnswer {
  const completion: unknown = JSON.parse(answer.toString('utf8'))
  const [choice] = recordsIn(recordIn(completion)['choices'])
  if (!isRecord(completion) || choice === undefined) throw new Error('the upstream answered without any choice')
  const id = textIn(completion['id']) ?? ''
  const message = recordIn(choice['message'])
  const reason = textIn(choice['finish_reason']) ?? 'stop'
  throwIfFailed(reason)
  const parts = cited(partsOf(message, choice['logprobs'], id, meetsLimit(reason)), [
    ...citationsIn(message['annotations']),
    ...sourcesIn(completion),
  ])
  return {
    id,
    model: textIn(completion['model']) ?? '',
    parts,
    finish: finishOf(reason, {
      hasCalls: parts.some(({ kind }) => kind === 'call'),
      hasRefused: parts.some(({ kind }) => kind === 'refusal'),
    }),
    stopSequence: stopSequenceOf(choice),
    usage: reportedUsage(completion),
  }
}

/** The content is one text; where it comes in several, they belong to the first. */
function cited(parts: readonly AnswerPart[], citations: readonly Citation[]): readonly AnswerPart[] {
  const first = parts.find(({ kind }) => kind === 'text')
  return parts.map((part) => (part === first ? { ...part, ...withCitations(citations) } : part))
}

/** What all of an answer rests on: Perplexity says so beside the choices, in every event of a stream. */
export function sourcesIn({ search_results: results, citations }: JsonRecord): readonly Citation[] {
  const found = recordsIn(results).flatMap(({ url, title }): readonly Citation[] =>
    typeof url === 'string' ? [{ url, title: textIn(title), range: null }] : [],
  )
  if (found.length > 0) return found
  return listIn(citations).flatMap((url) => (typeof url === 'string' ? [{ url, title: null, range: null }] : []))
}

/** @param isCut the answer met its limit, so that its last call may be incomplete: that one is left out */
function partsOf(message: JsonRecord, logprobs: unknown, id: string, isCut: boolean): readonly AnswerPart[] {
  const said = saidIn(message, logprobs)
  const signed = signatureOf(detailsIn(message)) ?? { signature: null }
  const first = said.find(({ kind }) => kind === 'reasoning')
  const parts: AnswerPart[] = said.map((one) =>
    one.kind === 'reasoning' ? { ...one, ...(one === first ? signed : { signature: null }) } : one,
  )
  if (first === undefined && signed.signature !== null) parts.unshift({ kind: 'reasoning', text: '', ...signed })
  for (const [index, call] of callsIn(message).entries()) {
    const { name, json } = calledIn(call)
    if (isCut && parsedRecord(json) === null) continue
    parts.push({ kind: 'call', id: textIn(call['id']) || idOf(id, index), name, json })
  }
  return parts
}

/** Calls in a message or a delta, or the one that older engines write. */
export function callsIn({ tool_calls: calls, function_call: called }: JsonRecord): readonly JsonRecord[] {
  const found = recordsIn(calls)
  const { name, arguments: args } = recordIn(called)
  return found.length === 0 && (name || args) ? [{ index: 0, function: called }] : found
}

function calledIn({ function: called, custom }: JsonRecord): { readonly name: string; readonly json: string } {
  if (isRecord(custom)) return { name: textIn(custom['name']) ?? '', json: jsonOfInput(custom['input']) }
  const { name, arguments: args } = recordIn(called)
  return { name: textIn(name) ?? '', json: argumentsOf(args) }
}

export type Said =
  | { readonly kind: 'text'; readonly text: string; readonly logprobs?: TokenLogprobs }
  | { readonly kind: 'reasoning'; readonly text: string }
  | { readonly kind: 'refusal'; readonly text: string }

/**
 * What a message or a delta says, besides calls. Some send the thinking as parts of the content.
 * @param logprobs those of the choice, which are said with its first text
 */
export function saidIn(message: JsonRecord, logprobs: unknown): readonly Said[] {
  const said: Said[] = []
  let chances = logprobsIn(recordIn(logprobs)['content'])
  const say = (kind: Said['kind'], text: string | null) => {
    if (text === null || text === '') return
    if (kind !== 'text') said.push({ kind, text })
    else {
      said.push({ kind, text, ...withLogprobs(chances) })
      chances = []
    }
  }
  const { content, refusal } = message
  say('reasoning', textIn(message['reasoning_content']) || textIn(message['reasoning']) || textOf(detailsIn(message)))
  say('text', textIn(content))
  for (const { text, thinking } of recordsIn(content)) {
    say('text', textIn(text))
    for (const inner of recordsIn(thinking)) say('reasoning', textIn(inner['text']))
  }
  say('refusal', textIn(refusal))
  return said
}

/** The arguments of a call as JSON: some send an object, some nothing where there are none. */
function argumentsOf(args: unknown): string {
  if (typeof args === 'string') return args.trim() === '' ? '{}' : args
  return isRecord(args) ? JSON.stringify(args) : '{}'
}

/** For a call without one. */
export const idOf = (answerId: string, index: number): string => `call_${answerId.replace(/[^\w-]/g, '_')}_${index}`

/** An answer that calls tools ends so, whatever the upstream says: agents go on only then. */
export function finishOf(
  reason: string,
  { hasCalls, hasRefused }: { readonly hasCalls: boolean; readonly hasRefused: boolean },
): Finish {
  if (meetsLimit(reason)) return 'length'
  if (reason === 'content_filter' || hasRefused) return 'refused'
  return hasCalls ? 'calls' : 'end'
}

/** Mistral says so when the context is full. */
const CUT = new Set(['length', 'model_length'])

export const meetsLimit = (reason: string | null): boolean => reason !== null && CUT.has(reason)
/** Mistral's and OpenRouter's, vLLM's and SGLang's, DeepSeek's. */
const FAILED = new Set(['error', 'abort', 'insufficient_system_resource'])

/** @throws Error when an answer has ended because something broke */
export function throwIfFailed(reason: string): void {
  if (FAILED.has(reason)) throw new Error(`the upstream ended its answer with ${reason}`)
}

/** The sequence that ended an answer: vLLM and SGLang name it. */
export function stopSequenceOf(choice: JsonRecord): string | null {
  return textIn(choice['stop_reason']) ?? textIn(choice['matched_stop'])
}

/** The first of several choices, whichever of them an event is about; no other is read. */
export const firstChoice = (event: JsonRecord): JsonRecord | undefined =>
  listIn(event['choices']).find((choice): choice is JsonRecord => isRecord(choice) && (choice['index'] ?? 0) === 0)
