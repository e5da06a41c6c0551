import type { UpstreamSide } from '../call.ts'
import { isRecord, parsedRecord } from '../json-value.ts'
import type { Effort, MediaPart, NeutralMessage, NeutralPart, NeutralRequest, ResultPart } from '../neutral.ts'
import { saidText } from '../said-text.ts'

/** Writes a request of another dialect. */
export function writeNeutralRequest(request: NeutralRequest, { model }: UpstreamSide): object {
  const { stream, messages, tools, answerForm, thinking, effort, logprobs } = request
  const options = optionsOf(request)
  const names = new Map<string, string>()
  return {
    model,
    messages: messages.flatMap((message) => messagesOf(message, names)),
    stream, // which is on when it is left out
    ...(tools.length > 0 && request.toolChoice !== 'none' && { tools: tools.map(toolOf) }),
    ...(answerForm !== null && { format: formatOf(answerForm) }),
    ...(thinking !== null && { think: thinking.isOn && effort !== null ? LEVELS[effort] : thinking.isOn }),
    ...(logprobs !== undefined && { logprobs: true, ...(logprobs.top > 0 && { top_logprobs: logprobs.top }) }),
    ...(Object.keys(options).length > 0 && { options }),
  }
}

/** What is said of the answer is said of its schema here. */
function formatOf(form: NonNullable<NeutralRequest['answerForm']>): unknown {
  if (form.kind === 'json') return 'json'
  const { schema, description } = form
  return description === undefined || !isRecord(schema) ? schema : { description, ...schema }
}

const LEVELS: Readonly<Record<Effort, string>> = {
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
}

function optionsOf(request: NeutralRequest): object {
  const { maxOutputTokens, temperature, topP, topK, stop, seed, frequencyPenalty, presencePenalty } = request
  return {
    ...(maxOutputTokens !== null && { num_predict: maxOutputTokens }),
    ...(temperature !== null && { temperature }),
    ...(topP !== null && { top_p: topP }),
    ...(topK !== null && { top_k: topK }),
    ...(stop.length > 0 && { stop }),
    ...(seed !== null && { seed }),
    ...(frequencyPenalty !== null && { frequency_penalty: frequencyPenalty }),
    ...(presencePenalty !== null && { presence_penalty: presencePenalty }),
  }
}

function toolOf({ name, description, schema }: NeutralRequest['tools'][number]): object {
  return {
    type: 'function',
    function: { name, ...(description !== null && { description }), parameters: schema },
  }
}

/** Results have messages of their own, in front of what the user says. @param names of calls by their ids */
function messagesOf({ role, parts }: NeutralMessage, names: Map<string, string>): readonly object[] {
  if (role === 'assistant') return [assistantMessage(parts, names)]
  const results = parts.filter((part) => part.kind === 'result')
  const shown = [...results.flatMap((result) => result.parts), ...parts].filter((part) => part.kind === 'media')
  const text = textOf(parts)
  const isSaid = text !== '' || shown.length > 0
  return [
    ...results.map((result) => resultMessage(result, names)),
    ...(isSaid ? [{ role, content: text, ...(shown.length > 0 && { images: shown.flatMap(imageOf) }) }] : []),
  ]
}

function assistantMessage(parts: readonly NeutralPart[], names: Map<string, string>): object {
  const calls = parts.filter((part) => part.kind === 'call')
  for (const { id, name } of calls) names.set(id, name)
  const thought = parts.map((part) => (part.kind === 'reasoning' ? part.text : '')).join('')
  return {
    role: 'assistant',
    content: saidText(parts),
    ...(thought !== '' && { thinking: thought }),
    ...(calls.length > 0 && {
      tool_calls: calls.map(({ name, json }) => ({ function: { name, arguments: parsedRecord(json) ?? {} } })),
    }),
  }
}

function resultMessage({ id, parts, isError }: ResultPart, names: ReadonlyMap<string, string>): object {
  const text = textOf(parts)
  const content = isError && !/^\s*error/i.test(text) ? `Error: ${text}` : text
  return { role: 'tool', content, tool_name: names.get(id) ?? id }
}

function textOf(parts: readonly NeutralPart[]): string {
  return parts.flatMap((part) => (part.kind === 'text' || part.kind === 'refusal' ? [part.text] : [])).join('\n\n')
}

/** It takes nothing but base64: what has an address was refused before. */
const imageOf = ({ source }: MediaPart): readonly string[] => (source.kind === 'base64' ? [source.base64] : [])
