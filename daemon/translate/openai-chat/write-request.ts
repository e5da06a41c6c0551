import type { UpstreamSide } from '../call.ts'
import { inputOf, ownDescription } from '../freeform.ts'
import { recordIn } from '../json-value.ts'
import { asModelTakes, levelOf } from '../model-traits.ts'
import type {
  CallPart,
  MediaPart,
  NeutralMessage,
  NeutralPart,
  NeutralRequest,
  NeutralTool,
  ResultPart,
  TextPart,
} from '../neutral.ts'
import { mayBeStrict, userId } from '../openai-limits.ts'
import { saidText } from '../said-text.ts'
import { withInstructions } from './instructions.ts'
import { effortFor, isRefused, type Quirks, quirksOf } from './providers.ts'
import { detailsOf } from './reasoning-details.ts'

/** Writes a request of another dialect. */
export function writeNeutralRequest(asked: NeutralRequest, { model, provider }: UpstreamSide): object {
  const request = asModelTakes(asked, provider, model)
  const quirks = quirksOf(provider)
  const form = { ...quirks, freeform: freeformNames(request, quirks), hasTools: request.tools.length > 0 }
  const { tools, maxOutputTokens, temperature, topP, topK, stop, thinking, effort, endUser } = request
  const { seed, frequencyPenalty, presencePenalty, logprobs } = request
  const level = effort === null ? null : levelOf(provider, model, effortFor(quirks, effort))
  const written = {
    model,
    messages: request.messages.flatMap((message) => messagesOf(message, form)),
    ...(request.stream && {
      stream: true,
      ...(quirks.usage !== 'refused' && { stream_options: { include_usage: true } }),
    }),
    ...(tools.length > 0 && toolsOf(request, form)),
    ...(maxOutputTokens !== null && { [quirks.limit]: maxOutputTokens }),
    ...(temperature !== null && { temperature }),
    ...(topP !== null && { top_p: topP }),
    ...(topK !== null && quirks.hasTopK && { top_k: topK }),
    ...(stop.length > 0 && { stop: stop.slice(0, quirks.mostStops ?? stop.length) }),
    ...(seed !== null && { [quirks.seed]: seed }),
    ...(frequencyPenalty !== null && { frequency_penalty: frequencyPenalty }),
    ...(presencePenalty !== null && { presence_penalty: presencePenalty }),
    ...(logprobs !== undefined && { logprobs: true, ...(logprobs.top > 0 && { top_logprobs: logprobs.top }) }),
    ...answerFormOf(request, quirks),
    ...(level !== null && { reasoning_effort: level }),
    ...(thinking?.isOn === false && quirks.hasTemplate && { chat_template_kwargs: { enable_thinking: false } }),
    ...(quirks.hasServices && openAisOwn(request)),
    ...(endUser !== null && { user: userId(endUser) }),
  }
  const whole = isAskedFor(request, quirks) ? withInstructions(written, asksFor(request.answerForm.schema)) : written
  return Object.fromEntries(Object.entries(whole).filter(([name]) => !isRefused(quirks, name)))
}

/** What OpenAI has, and others refuse or do not know. */
const openAisOwn = ({ service, verbosity, cacheKey }: NeutralRequest): object => ({
  ...(service !== undefined && { service_tier: service }),
  ...(verbosity !== undefined && { verbosity }),
  ...(cacheKey !== undefined && { prompt_cache_key: cacheKey }),
})

/** How a provider takes messages. `freeform`: names of tools that take a text there, too. */
type Form = Quirks & { readonly freeform: ReadonlySet<string>; readonly hasTools: boolean }

function freeformNames({ tools }: NeutralRequest, { hasFreeform }: Quirks): ReadonlySet<string> {
  return new Set(tools.flatMap(({ name, freeform }) => (hasFreeform && freeform !== undefined ? [name] : [])))
}

function toolsOf({ tools, toolChoice, parallelCalls }: NeutralRequest, form: Form): object {
  return {
    tools: tools.map((tool) => toolObject(tool, form)),
    ...(toolChoice !== null && { tool_choice: choiceOf(toolChoice, form) }),
    ...(parallelCalls !== null && { parallel_tool_calls: parallelCalls }),
  }
}

function toolObject(tool: NeutralTool, { freeform: names }: Form): object {
  const { name, description, schema, isStrict, freeform } = tool
  if (names.has(name)) {
    return { type: 'custom', custom: { name, ...ownDescription(tool), format: formatOf(freeform?.format) } }
  }
  return {
    type: 'function',
    function: {
      name,
      ...(description !== null && { description }),
      parameters: schema,
      ...(isStrict !== null && { strict: isStrict }),
    },
  }
}

/** A grammar is an object of its own here. */
function formatOf(format: unknown): unknown {
  const { type, syntax, definition } = recordIn(format)
  return type === 'grammar' ? { type, grammar: { syntax, definition } } : format
}

function choiceOf(choice: NonNullable<NeutralRequest['toolChoice']>, { freeform }: Form): unknown {
  if (typeof choice === 'string') return choice === 'any' ? 'required' : choice
  const { name } = choice
  return freeform.has(name) ? { type: 'custom', custom: { name } } : { type: 'function', function: { name } }
}

type SchemaRequest = NeutralRequest & { readonly answerForm: { readonly kind: 'schema'; readonly schema: unknown } }

/** Whether a schema can only be asked for in words. */
const isAskedFor = (request: NeutralRequest, { hasSchemas }: Quirks): request is SchemaRequest =>
  !hasSchemas && request.answerForm?.kind === 'schema'

const asksFor = (schema: unknown): string =>
  `Answer with JSON that is valid by this JSON Schema, and with nothing else: ${JSON.stringify(schema)}`

function answerFormOf(request: NeutralRequest, quirks: Quirks): object {
  const { answerForm } = request
  if (answerForm === null) return {}
  if (answerForm.kind === 'json' || isAskedFor(request, quirks)) return { response_format: { type: 'json_object' } }
  const { name, description, schema, isStrict } = answerForm
  const said = description === undefined ? {} : { description }
  const strict = isStrict ?? mayBeStrict(schema)
  return { response_format: { type: 'json_schema', json_schema: { name: name ?? 'answer', ...said, schema, strict } } }
}

/** One turn may be several messages here: results of tools have messages of their own, in front of what the user says. */
function messagesOf({ role, parts }: NeutralMessage, form: Form): readonly object[] {
  switch (role) {
    case 'system':
      return parts.length === 0 ? [] : [{ role: 'system', content: joined(parts, '\n\n') }]
    case 'assistant':
      return [assistantMessage(parts, form)]
    case 'user': {
      const results = parts.filter((part) => part.kind === 'result')
      const shown = results.flatMap(({ parts: inner }) => inner.filter((part) => part.kind === 'media'))
      const said = [...shown, ...parts.filter((part) => part.kind === 'text' || part.kind === 'media')]
      return [
        ...results.map((result) => resultMessage(result, form)),
        ...(said.length > 0 ? [{ role: 'user', content: contentOf(said) }] : []),
      ]
    }
  }
}

function resultMessage({ id, parts, isError }: ResultPart, quirks: Quirks): object {
  const text = joined(parts, '\n\n')
  const content = isError && !/^\s*error/i.test(text) ? `Error: ${text}` : text
  return { role: 'tool', tool_call_id: callId(id, quirks), content }
}

function assistantMessage(parts: readonly NeutralPart[], form: Form): object {
  const { thinking, hasDetails, lacksInMessages } = form
  const calls = parts.filter((part) => part.kind === 'call')
  const refused = parts.find((part) => part.kind === 'refusal')
  const refusal = lacksInMessages.includes('refusal') ? undefined : refused
  const text =
    saidText(parts.filter(({ kind }) => kind !== 'refusal')) || (refusal === undefined ? (refused?.text ?? '') : '')
  const thoughts = parts.filter((part) => part.kind === 'reasoning')
  const details = hasDetails ? thoughts.flatMap(detailsOf) : []
  const thought = thoughts.map(({ text: said }) => said).join('') || (form.hasTools ? form.missingThought : undefined)
  return {
    role: 'assistant',
    content: text === '' && (calls.length > 0 || refusal !== undefined) ? null : text,
    ...(thinking !== null && thought !== undefined && details.length === 0 && { [thinking]: thought }),
    ...(details.length > 0 && { reasoning_details: details }),
    ...(refusal !== undefined && { refusal: refusal.text }),
    ...(calls.length > 0 && {
      tool_calls: calls.map((call) => ({ id: callId(call.id, form), ...calledBy(call, form) })),
    }),
  }
}

function calledBy({ name, json }: CallPart, { freeform }: Form): object {
  if (freeform.has(name)) return { type: 'custom', custom: { name, input: inputOf(json) } }
  return { type: 'function', function: { name, arguments: json === '' ? '{}' : json } }
}

/**
 * Some take ids of their own form only, nine letters and digits: others become one that is always the same for them.
 * @see https://docs.mistral.ai/capabilities/function_calling
 */
function callId(id: string, { hasShortCallIds }: Quirks): string {
  if (!hasShortCallIds || /^[A-Za-z0-9]{9}$/.test(id)) return id
  let high = 0xdeadbeef
  let low = 0x41c6ce57
  for (let i = 0; i < id.length; i += 1) {
    high = Math.imul(high ^ id.charCodeAt(i), 0x9e3779b1)
    low = Math.imul(low ^ id.charCodeAt(i), 0x5f356495)
  }
  const hash = (high >>> 0) * 2 ** 20 + ((low >>> 0) & 0xfffff)
  return hash.toString(36).slice(-9).padStart(9, '0')
}

function joined(parts: readonly NeutralPart[], separator: string): string {
  return parts.flatMap((part) => (part.kind === 'text' ? [part.text] : [])).join(separator)
}

/** A text alone is sent as one: some upstreams take nothing else. */
function contentOf(parts: readonly (TextPart | MediaPart)[]): unknown {
  const [only, another] = parts
  if (only?.kind === 'text' && another === undefined) return only.text
  return parts.map(contentPart)
}

function contentPart(part: TextPart | MediaPart): object {
  if (part.kind === 'text') return { type: 'text', text: part.text }
  const { form, source, name, detail } = part
  const url = source.kind === 'base64' ? `data:${source.mediaType};base64,${source.base64}` : addressOf(source)
  switch (form) {
    case 'image':
      return { type: 'image_url', image_url: { url, ...(detail !== undefined && { detail }) } }
    case 'document':
      return { type: 'file', file: { filename: name ?? 'document.pdf', file_data: url } }
    case 'audio': {
      const [, type = ''] = source.kind === 'base64' ? source.mediaType.split(/[/;]/) : []
      const data = source.kind === 'base64' ? source.base64 : url
      return { type: 'input_audio', input_audio: { data, format: AUDIO_FORMATS[type] ?? type } }
    }
  }
}

/** Other names of the two formats that there are. */
const AUDIO_FORMATS: Readonly<Record<string, string>> = {
  mpeg: 'mp3',
  'vnd.wave': 'wav',
  wave: 'wav',
  'x-wav': 'wav',
}

/** A kept file, and what it does not fetch, was refused before. */
function addressOf(source: Exclude<MediaPart['source'], { kind: 'base64' }>): string {
  return source.kind === 'url' ? source.url : source.id
}
