import { providerRow } from '../../../schemas/words/providers.ts'
import type { UpstreamSide } from '../call.ts'
import { inputOf, ownDescription } from '../freeform.ts'
import { asModelTakes, levelOf } from '../model-traits.ts'
import type { MediaPart, NeutralMessage, NeutralPart, NeutralRequest, NeutralTool, TextPart } from '../neutral.ts'
import { mayBeStrict, userId } from '../openai-limits.ts'
import { ownItem } from './reasoning.ts'
import { strictly } from './strict.ts'

/** Fewer tokens are refused, too; engines take any number. */
const FEWEST_TOKENS = 16

/** What of a request its items depend on. `isEngine`: of llama.cpp at least, what is more exact than OpenAI needs it. */
type Form = {
  /** Names of tools that take a text, and ids of their calls. */
  readonly freeform: ReadonlySet<string>
  readonly freeformCalls: ReadonlySet<string>
  readonly isEngine: boolean
}

/** Writes a request of another dialect. Nothing is kept upstream: what the model thought comes back sealed. */
export function writeNeutralRequest(asked: NeutralRequest, { model, provider }: UpstreamSide): object {
  const request = asModelTakes(asked, provider, model)
  const { tools, maxOutputTokens, temperature, topP, endUser, logprobs, verbosity, cacheKey, metadata } = request
  const freeform = new Set(tools.flatMap((tool) => (tool.freeform === undefined ? [] : [tool.name])))
  const freeformCalls = new Set(freeform.size === 0 ? [] : callsOf(request, freeform))
  const isEngine = providerRow(provider).isEngine === true
  const reasoning = reasoningOf(request, (effort) => levelOf(provider, model, effort))
  const format = formatOf(request)
  const include = [
    ...(reasoning === null ? [] : ['reasoning.encrypted_content']),
    ...(logprobs === undefined ? [] : ['message.output_text.logprobs']),
  ]
  const written = {
    model,
    input: request.messages.flatMap((message) => itemsOf(message, { freeform, freeformCalls, isEngine })),
    store: false,
    ...(request.stream && { stream: true }),
    ...(tools.length > 0 && toolsOf(request)),
    ...(maxOutputTokens !== null && {
      max_output_tokens: isEngine ? maxOutputTokens : Math.max(maxOutputTokens, FEWEST_TOKENS),
    }),
    ...(temperature !== null && { temperature }),
    ...(topP !== null && { top_p: topP }),
    ...((format !== null || verbosity !== undefined) && {
      text: { ...(format !== null && { format }), ...(verbosity !== undefined && { verbosity }) },
    }),
    ...(reasoning !== null && { reasoning }),
    ...(include.length > 0 && { include }),
    ...(logprobs !== undefined && logprobs.top > 0 && { top_logprobs: logprobs.top }),
    ...(cacheKey !== undefined && { prompt_cache_key: cacheKey }),
    ...(metadata !== undefined && { metadata }),
    ...(request.service !== undefined && { service_tier: request.service }),
    ...(endUser !== null && { safety_identifier: userId(endUser) }),
  }
  return providerRow(provider).isStrict === true ? strictly(written) : written
}

function callsOf({ messages }: NeutralRequest, names: ReadonlySet<string>): readonly string[] {
  return messages.flatMap(({ parts }) =>
    parts.flatMap((part) => (part.kind === 'call' && names.has(part.name) ? [part.id] : [])),
  )
}

/** @param wordFor the model's word for an effort; null: it takes none */
function reasoningOf({ thinking, effort }: NeutralRequest, wordFor: (effort: string) => string | null): object | null {
  if (effort === null && thinking === null) return null
  const level = wordFor(thinking?.isOn === false ? 'none' : (effort ?? 'medium'))
  if (level === null) return null
  if (thinking?.isOn === false) return { effort: level }
  return { ...(effort !== null && { effort: level }), summary: 'auto' }
}

function formatOf({ answerForm }: NeutralRequest): object | null {
  if (answerForm === null) return null
  if (answerForm.kind === 'json') return { type: 'json_object' }
  const { name, description, schema, isStrict } = answerForm
  return {
    type: 'json_schema',
    name: name ?? 'answer',
    ...(description !== undefined && { description }),
    schema,
    strict: isStrict ?? mayBeStrict(schema),
  }
}

function toolsOf({ tools, toolChoice, parallelCalls }: NeutralRequest): object {
  return {
    tools: tools.map(toolObject),
    ...(toolChoice !== null && { tool_choice: choiceOf(toolChoice, tools) }),
    ...(parallelCalls !== null && { parallel_tool_calls: parallelCalls }),
  }
}

/** Without `strict`, OpenAI would take a schema for one that it may enforce. */
function toolObject(tool: NeutralTool): object {
  const { name, description, schema, isStrict, freeform } = tool
  const described = description === null ? {} : { description }
  if (freeform !== undefined) return { type: 'custom', name, ...ownDescription(tool), format: freeform.format }
  return { type: 'function', name, ...described, parameters: schema, strict: isStrict ?? false }
}

function choiceOf(choice: NonNullable<NeutralRequest['toolChoice']>, tools: readonly NeutralTool[]): unknown {
  if (typeof choice === 'string') return choice === 'any' ? 'required' : choice
  const isFreeform = tools.some(({ name, freeform }) => name === choice.name && freeform !== undefined)
  return { type: isFreeform ? 'custom' : 'function', name: choice.name }
}

/** One turn may be several items here. */
function itemsOf({ role, parts }: NeutralMessage, form: Form): readonly object[] {
  const items: object[] = []
  let content: (TextPart | MediaPart)[] = []
  const endMessage = () => {
    if (content.length > 0) items.push(messageItem(role, content, form))
    content = []
  }
  for (const part of parts) {
    if (part.kind === 'text' || part.kind === 'media') content.push(part)
    else if (part.kind === 'refusal') content.push({ kind: 'text', text: part.text })
    else {
      endMessage()
      items.push(...itemOf(part, form))
    }
  }
  endMessage()
  return items
}

function messageItem(
  role: NeutralMessage['role'],
  parts: readonly (TextPart | MediaPart)[],
  { isEngine }: Form,
): object {
  const [only, another] = parts
  const name = role === 'system' && !isEngine ? 'developer' : role
  const type = isEngine ? { type: 'message' } : {}
  if (role === 'assistant')
    return { ...type, role: name, content: parts.map((part) => (part.kind === 'text' ? part.text : '')).join('') }
  if (only?.kind === 'text' && another === undefined) return { ...type, role: name, content: only.text }
  return { ...type, role: name, content: parts.map(contentPart) }
}

type ItemPart = Exclude<NeutralPart, { kind: 'text' | 'media' | 'refusal' }>

function itemOf(part: ItemPart, { freeform, freeformCalls }: Form): readonly object[] {
  switch (part.kind) {
    case 'reasoning': {
      const item = ownItem(part)
      return item === null ? [] : [item]
    }
    case 'redacted':
      return []
    case 'call':
      if (freeform.has(part.name)) {
        return [{ type: 'custom_tool_call', call_id: part.id, name: part.name, input: inputOf(part.json) }]
      }
      return [
        { type: 'function_call', call_id: part.id, name: part.name, arguments: part.json === '' ? '{}' : part.json },
      ]
    case 'result': {
      const type = freeformCalls.has(part.id) ? 'custom_tool_call_output' : 'function_call_output'
      return [{ type, call_id: part.id, output: outputOf(part) }]
    }
  }
}

function outputOf({ parts, isError }: Extract<ItemPart, { kind: 'result' }>): unknown {
  const text = parts.map((part) => (part.kind === 'text' ? part.text : '')).join('\n\n')
  const isSaid = !isError || /^\s*error/i.test(text)
  if (parts.every(({ kind }) => kind === 'text')) return isSaid ? text : `Error: ${text}`
  return [...(isSaid ? [] : [{ type: 'input_text', text: 'Error:' }]), ...parts.map(contentPart)]
}

function contentPart(part: TextPart | MediaPart): object {
  if (part.kind === 'text') return { type: 'input_text', text: part.text }
  const { form, source, name, detail } = part
  const url = source.kind === 'base64' ? `data:${source.mediaType};base64,${source.base64}` : addressOf(source)
  if (form === 'image') return { type: 'input_image', image_url: url, detail: detail ?? 'auto' }
  if (source.kind === 'url') return { type: 'input_file', file_url: url }
  return { type: 'input_file', filename: name ?? 'document.pdf', file_data: url }
}

/** A kept file was refused before. */
function addressOf(source: Exclude<MediaPart['source'], { kind: 'base64' }>): string {
  return source.kind === 'url' ? source.url : source.id
}
