import { append } from '../append.ts'
import type { UpstreamSide } from '../call.ts'
import { isRecord, parsedRecord } from '../json-value.ts'
import type { MediaPart, NeutralMessage, NeutralPart, NeutralRequest, TextPart } from '../neutral.ts'
import { isBlank, limitOf } from './limits.ts'
import { enforcedSchemaOf } from './schema.ts'
import { effortOf, thinkingOf } from './thinking.ts'

const ASKS_FOR_JSON: TextPart = { kind: 'text', text: 'Answer with one JSON object, and with nothing else.' }

type Turn = { readonly role: 'user' | 'assistant' | 'system'; readonly content: readonly object[] }

/** Writes a request of another dialect. */
export function writeNeutralRequest(request: NeutralRequest, { model }: UpstreamSide): object {
  const { stream, tools, answerForm, endUser } = request
  const stop = request.stop.filter((one) => !isBlank(one))
  const first = request.messages.findIndex(({ role }) => role !== 'system')
  const instructions = request.messages.slice(0, first === -1 ? -1 : first).flatMap(({ parts }) => parts)
  const rest = request.messages.slice(first) // instructions alone: the last of them is what is asked
  const system = answerForm?.kind === 'json' ? [...instructions, ASKS_FOR_JSON] : instructions
  const config = configOf(request, model)
  const thinking = thinkingOf(request, model)
  return {
    model,
    max_tokens: limitOf(request, model),
    ...(system.length > 0 && { system: system.flatMap(blockOf) }),
    messages: turnsOf(first === -1 ? rest.map(({ parts }) => ({ role: 'user', parts })) : rest),
    ...(stream && { stream: true }),
    ...(stop.length > 0 && { stop_sequences: stop }),
    ...(tools.length > 0 && toolsOf(request)),
    ...(thinking !== null && { thinking }),
    ...(config !== null && { output_config: config }),
    ...(endUser !== null && { metadata: { user_id: endUser } }),
  }
}

function configOf(request: NeutralRequest, model: string): object | null {
  const { answerForm } = request
  const config = {
    ...effortOf(request, model),
    ...(answerForm?.kind === 'schema' && { format: { type: 'json_schema', schema: answerSchemaOf(answerForm) } }),
  }
  return Object.keys(config).length === 0 ? null : config
}

/** What is said of the answer is said of its schema here. */
function answerSchemaOf({ schema, description }: SchemaForm): unknown {
  const enforced = enforcedSchemaOf(schema)
  return description === undefined || !isRecord(enforced) ? enforced : { description, ...enforced }
}

type SchemaForm = Extract<NeutralRequest['answerForm'], { readonly kind: 'schema' }>

function toolsOf({ tools, toolChoice, parallelCalls }: NeutralRequest): object {
  const choice = toolChoice ?? (parallelCalls === false ? 'auto' : null)
  return {
    tools: tools.map(({ name, description, schema, isStrict }) => ({
      name,
      ...(description !== null && { description }),
      input_schema: isStrict === true ? enforcedSchemaOf(schema) : schema,
      ...(isStrict === true && { strict: true }),
    })),
    ...(choice !== null && {
      tool_choice: {
        ...(typeof choice === 'object' ? { type: 'tool', name: choice.name } : { type: choice }),
        ...(parallelCalls === false && choice !== 'none' && { disable_parallel_tool_use: true }),
      },
    }),
  }
}

/** Turns of one role in a row become one; what says nothing is left out, since blocks must not be empty. */
function turnsOf(messages: readonly NeutralMessage[]): readonly Turn[] {
  const turns: { readonly role: Turn['role']; readonly content: object[] }[] = []
  for (const { role, parts } of messages) {
    const content = parts.filter(({ kind }) => role !== 'assistant' || kind !== 'media').flatMap(blockOf)
    const last = turns.at(-1)
    if (content.length === 0) continue
    if (last?.role === role) append(last.content, content)
    else turns.push({ role, content: [...content] })
  }
  return turns
}

function blockOf(part: NeutralPart): readonly object[] {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return isBlank(part.text) ? [] : [{ type: 'text', text: part.text, ...cacheControl(part) }]
    case 'media':
      return [{ ...mediaBlock(part), ...cacheControl(part) }]
    case 'reasoning': // without a signature of its own it would be refused
      return part.signature === null || part.signedBy !== undefined
        ? []
        : [{ type: 'thinking', thinking: part.text, signature: part.signature }]
    case 'redacted':
      return [{ type: 'redacted_thinking', data: part.sealed }]
    case 'call': {
      const input = parsedRecord(part.json === '' ? '{}' : part.json) ?? { arguments: part.json }
      return [{ type: 'tool_use', id: callId(part.id), name: part.name, input }]
    }
    case 'result': {
      const content = part.parts.flatMap(blockOf)
      return [
        {
          type: 'tool_result',
          tool_use_id: callId(part.id),
          ...(content.length > 0 && { content }),
          ...(part.isError && { is_error: true }),
        },
      ]
    }
  }
}

/** A mark of OpenAI's is kept for half an hour or twelve, Anthropic's for five minutes or an hour. */
function cacheControl(part: NeutralPart): object {
  const mark = 'cacheMark' in part ? part.cacheMark : undefined
  return mark === undefined ? {} : { cache_control: { type: 'ephemeral', ...(mark.isLong && { ttl: '1h' }) } }
}

/** Other providers' ids may have characters that Anthropic refuses, such as `functions.read:0`. */
const callId = (id: string): string => id.replace(/[^\w-]/g, '_')

function mediaBlock({ form, source, name }: MediaPart): object {
  const title = form === 'document' && name !== null ? { title: name } : {}
  return { type: form, source: sourceObject(source), ...title }
}

function sourceObject(source: MediaPart['source']): object {
  switch (source.kind) {
    case 'base64': {
      const { mediaType, base64 } = source
      if (IS_TEXT.test(mediaType)) return { type: 'text', media_type: 'text/plain', data: decoded(base64) }
      return { type: 'base64', media_type: mediaType, data: base64 }
    }
    case 'url':
      return { type: 'url', url: source.url }
    case 'file': // refused before
      return { type: 'file', file_id: source.id }
  }
}

/** PDF besides is all that it takes. */
const IS_TEXT = /^(?:text\/|application\/(?:json|xml|yaml)\b)/

const decoded = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8')
