import { append } from '../append.ts'
import type { UpstreamSide } from '../call.ts'
import { CallSignatures } from '../call-signature.ts'
import { parsedRecord, recordIn } from '../json-value.ts'
import type { MediaPart, NeutralMessage, NeutralPart, NeutralRequest, NeutralTool, ResultPart } from '../neutral.ts'
import { asksInWords, wordsFor } from './answer-in-words.ts'
import { ASKS_FOR_SIGNATURES, NOT_SIGNED } from './foreign-thoughts.ts'
import { googleSchemaOf } from './schema.ts'
import { thinkingConfigOf } from './thinking.ts'
import { callPart } from './write-answer.ts'

/** More stop sequences are refused. */
export const MOST_STOPS = 5

type Turn = { readonly role: 'user' | 'model'; readonly parts: readonly object[] }

/** Writes a request of another dialect. */
export function writeNeutralRequest(request: NeutralRequest, { model }: UpstreamSide): object {
  const first = request.messages.findIndex(({ role }) => role !== 'system')
  const instructions = request.messages.slice(0, first === -1 ? -1 : first).flatMap(({ parts }) => parts)
  const rest = request.messages.slice(first) // instructions alone: the last of them is what is asked
  const system = instructions.flatMap((part) => (part.kind === 'text' && part.text !== '' ? [{ text: part.text }] : []))
  const { answerForm } = request
  if (answerForm !== null && asksInWords(request, model)) system.push({ text: wordsFor(answerForm) })
  const config = configOf(request, model)
  return {
    contents: turnsOf(rest, model),
    ...(system.length > 0 && { systemInstruction: { parts: system } }),
    ...(request.tools.length > 0 && toolsOf(request)),
    ...(Object.keys(config).length > 0 && { generationConfig: config }),
    ...(request.service !== undefined && { serviceTier: request.service }),
  }
}

function configOf(request: NeutralRequest, model: string): object {
  const { maxOutputTokens, temperature, topP, topK, stop, seed, frequencyPenalty, presencePenalty } = request
  const { logprobs } = request
  const answerForm = asksInWords(request, model) ? null : request.answerForm
  return {
    ...(maxOutputTokens !== null && { maxOutputTokens }),
    ...(temperature !== null && { temperature }),
    ...(topP !== null && { topP }),
    ...(topK !== null && { topK }),
    ...(stop.length > 0 && { stopSequences: stop.slice(0, MOST_STOPS) }),
    ...(seed !== null && { seed }),
    ...(frequencyPenalty !== null && { frequencyPenalty }),
    ...(presencePenalty !== null && { presencePenalty }),
    ...(logprobs !== undefined && { responseLogprobs: true, ...(logprobs.top > 0 && { logprobs: logprobs.top }) }),
    ...(answerForm !== null && { responseMimeType: 'application/json' }),
    ...(answerForm?.kind === 'schema' && { responseJsonSchema: answerSchemaOf(answerForm) }),
    ...thinkingConfigOf(request, model),
  }
}

/** What is said of the answer is said of its schema here. */
function answerSchemaOf({ schema, description }: SchemaForm): unknown {
  return googleSchemaOf(description === undefined ? schema : { description, ...recordIn(schema) })
}

type SchemaForm = Extract<NeutralRequest['answerForm'], { readonly kind: 'schema' }>

function toolsOf({ tools, toolChoice }: NeutralRequest): object {
  return {
    tools: [{ functionDeclarations: tools.map(declarationOf) }],
    ...(toolChoice !== null && { toolConfig: { functionCallingConfig: callingOf(toolChoice) } }),
  }
}

/** A function without parameters has no schema. */
function declarationOf({ name, description, schema }: NeutralTool): object {
  const hasParameters = Object.keys(recordIn(recordIn(schema)['properties'])).length > 0 || '$ref' in recordIn(schema)
  return {
    name,
    ...(description !== null && { description }),
    ...(hasParameters && { parametersJsonSchema: googleSchemaOf(schema) }),
  }
}

function callingOf(choice: NonNullable<NeutralRequest['toolChoice']>): object {
  if (typeof choice === 'object') return { mode: 'ANY', allowedFunctionNames: [choice.name] }
  return { mode: choice.toUpperCase() }
}

/** The calls so far, by id. `turn`: which of them it was. */
type Called = Map<string, { readonly name: string; readonly turn: number }>

/** Turns of one role in a row become one; what says nothing is left out. */
function turnsOf(messages: readonly NeutralMessage[], model: string): readonly Turn[] {
  const turns: { readonly role: Turn['role']; readonly parts: object[] }[] = []
  const called: Called = new Map()
  for (const message of messages) {
    const role = message.role === 'assistant' ? 'model' : 'user'
    const parts = role === 'model' ? saidBy(message.parts, called, model) : askedIn(message.parts, called)
    const last = turns.at(-1)
    if (parts.length === 0) continue
    if (last?.role === role) append(last.parts, parts)
    else turns.push({ role, parts: [...parts] })
  }
  return turns
}

function saidBy(parts: readonly NeutralPart[], called: Called, model: string): readonly object[] {
  const signatures = new CallSignatures()
  let isFirst = true
  const say = (part: NeutralPart): readonly object[] => {
    switch (part.kind) {
      case 'text':
      case 'refusal':
        return part.text === '' ? [] : [{ text: part.text }]
      case 'reasoning':
        if (part.signedBy === 'google') signatures.keep(part)
        return []
      case 'call': {
        const stand = isFirst && ASKS_FOR_SIGNATURES.test(model) ? NOT_SIGNED : null
        isFirst = false
        called.set(part.id, { name: part.name, turn: called.get(part.id)?.turn ?? called.size })
        return [callPart(part.id, part.name, part.json, signatures.take() ?? stand)]
      }
      case 'redacted':
      case 'media':
      case 'result':
        return []
    }
  }
  return parts.flatMap(say)
}

/** Results come first, in the order of their calls, then what they show, then what the user says. */
function askedIn(parts: readonly NeutralPart[], called: Called): readonly object[] {
  const turnOf = ({ id }: ResultPart): number => called.get(id)?.turn ?? -1
  const results = parts.filter((part) => part.kind === 'result').toSorted((a, b) => turnOf(a) - turnOf(b))
  const shown = results.flatMap(({ parts: inner }) => inner.filter((part) => part.kind === 'media'))
  const said = parts.flatMap((part): readonly object[] => {
    if (part.kind === 'media') return [mediaPart(part)]
    return part.kind === 'text' && part.text !== '' ? [{ text: part.text }] : []
  })
  return [...results.map((result) => resultPart(result, called)), ...shown.map(mediaPart), ...said]
}

/** The response must be an object. */
function resultPart({ id, parts, isError }: ResultPart, called: Called): object {
  const text = parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join('\n\n')
  const response = isError ? { error: text } : (parsedRecord(text) ?? { output: text })
  return { functionResponse: { id, name: called.get(id)?.name ?? id, response } }
}

function mediaPart({ form, source }: MediaPart): object {
  switch (source.kind) {
    case 'base64':
      return { inlineData: { mimeType: source.mediaType, data: source.base64 } }
    case 'url':
      return { fileData: { mimeType: typeByName(source.url) ?? USUAL[form], fileUri: source.url } }
    case 'file': // refused before
      return { fileData: { fileUri: source.id } }
  }
}

const USUAL = { image: 'image/jpeg', document: 'application/pdf', audio: 'audio/wav' } as const

const TYPES: Readonly<Record<string, string>> = {
  gif: 'image/gif',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  mp3: 'audio/mp3',
  mp4: 'video/mp4',
  pdf: 'application/pdf',
  png: 'image/png',
  txt: 'text/plain',
  wav: 'audio/wav',
  webp: 'image/webp',
}

function typeByName(url: string): string | undefined {
  const name = URL.parse(url)?.pathname ?? ''
  return TYPES[name.slice(name.lastIndexOf('.') + 1).toLowerCase()]
}
