import type { UpstreamSide } from '../call.ts'
import { parsedRecord } from '../json-value.ts'
import type { MediaPart, NeutralMessage, NeutralPart, NeutralRequest, TextPart } from '../neutral.ts'

/**
 * Anthropic wants a limit, where others leave it to the model: about the longest answers that each takes.
 * @see https://docs.claude.com/en/docs/about-claude/models/overview
 */
const LIMITS: readonly (readonly [RegExp, number])[] = [
  [/claude-3-5/, 8_192],
  [/claude-3-(?!7)/, 4_096],
  [/./, 32_000],
]

const ASKS_FOR_JSON: TextPart = { kind: 'text', text: 'Answer with one JSON object, and with nothing else.' }

type Turn = { readonly role: 'user' | 'assistant' | 'system'; readonly content: readonly object[] }

/** Writes a request of another dialect. */
export function writeNeutralRequest(request: NeutralRequest, { model }: UpstreamSide): object {
  const { stream, tools, maxOutputTokens, stop, answerForm, thinking, endUser } = request
  const first = request.messages.findIndex(({ role }) => role !== 'system')
  const instructions = request.messages.slice(0, first === -1 ? -1 : first).flatMap(({ parts }) => parts)
  const rest = request.messages.slice(first) // instructions alone: the last of them is what is asked
  const system = answerForm?.kind === 'json' ? [...instructions, ASKS_FOR_JSON] : instructions
  const config = configOf(request)
  return {
    model,
    max_tokens: maxOutputTokens ?? LIMITS.find(([pattern]) => pattern.test(model))?.[1],
    ...(system.length > 0 && { system: system.flatMap(blockOf) }),
    messages: turnsOf(first === -1 ? rest.map(({ parts }) => ({ role: 'user', parts })) : rest),
    ...(stream && { stream: true }),
    ...(stop.length > 0 && { stop_sequences: stop }),
    ...(tools.length > 0 && toolsOf(request)),
    ...(thinking !== null && { thinking: thinkingOf(thinking) }),
    ...(config !== null && { output_config: config }),
    ...(endUser !== null && { metadata: { user_id: endUser } }),
  }
}

function thinkingOf({ isOn, budgetTokens }: NonNullable<NeutralRequest['thinking']>): object {
  if (!isOn) return { type: 'disabled' }
  if (budgetTokens !== null) return { type: 'enabled', budget_tokens: budgetTokens }
  return { type: 'adaptive', display: 'summarized' }
}

function configOf({ effort, answerForm }: NeutralRequest): object | null {
  const config = {
    ...(effort !== null && { effort: effort === 'minimal' ? 'low' : effort }),
    ...(answerForm?.kind === 'schema' && { format: { type: 'json_schema', schema: answerForm.schema } }),
  }
  return Object.keys(config).length === 0 ? null : config
}

function toolsOf({ tools, toolChoice, parallelCalls }: NeutralRequest): object {
  const choice = toolChoice ?? (parallelCalls === false ? 'auto' : null)
  return {
    tools: tools.map(({ name, description, schema, isStrict }) => ({
      name,
      ...(description !== null && { description }),
      input_schema: schema,
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
  const turns: Turn[] = []
  for (const { role, parts } of messages) {
    const content = parts.filter(({ kind }) => role !== 'assistant' || kind !== 'media').flatMap(blockOf)
    const last = turns.at(-1)
    if (content.length === 0) continue
    if (last?.role === role) turns[turns.length - 1] = { role, content: [...last.content, ...content] }
    else turns.push({ role, content })
  }
  return turns
}

function blockOf(part: NeutralPart): readonly object[] {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return part.text.trim() === '' ? [] : [{ type: 'text', text: part.text }]
    case 'media':
      return [mediaBlock(part)]
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
      if (mediaType === 'text/plain') return { type: 'text', media_type: mediaType, data: decoded(base64) }
      return { type: 'base64', media_type: mediaType, data: base64 }
    }
    case 'url':
      return { type: 'url', url: source.url }
    case 'file': // refused before
      return { type: 'file', file_id: source.id }
  }
}

const decoded = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8')
