import { z } from 'zod'
import { issueLines } from '../../../schemas/words/issue.ts'
import { isRecord } from '../json-value.ts'
import { echoEmbeddings } from './echo-embedding.ts'

/** The parts of a chat completion request that the echo upstream reads; of everything else it takes no notice. */
const echoRequest = z.object({
  model: z.string(),
  messages: z.array(z.object({ role: z.string().optional(), content: z.unknown() })),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.number().nullish(),
  max_completion_tokens: z.number().nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  tools: z
    .array(z.object({ function: z.object({ name: z.string(), parameters: z.unknown().optional() }).optional() }))
    .nullish(),
  tool_choice: z.union([z.string(), z.object({ function: z.object({ name: z.string() }).optional() })]).nullish(),
})
export type EchoRequest = z.output<typeof echoRequest>

/** What a tool's text arguments get of the user's message; a schema can ask for it any number of times. */
const MAX_EXAMPLE_CHARACTERS = 1_000
const MAX_EXAMPLE_DEPTH = 8

const CHATS_ALONE =
  'the upstream "echo" says the last message of a chat back, makes embeddings that mean nothing, and can do nothing else'

/** Reads a request's JSON. @returns the request, or what is wrong with it */
export function readEchoRequest(
  body: string,
  path: string,
):
  | { readonly kind: 'request'; readonly request: EchoRequest }
  | { readonly kind: 'embeddings'; readonly answer: object }
  | { readonly kind: 'refused'; readonly message: string } {
  const value: unknown = JSON.parse(body) // the gateway parsed it before it came here
  if (path.endsWith('/embeddings')) {
    const answer = echoEmbeddings(value)
    const message = 'embeddings of the echo need "input", a text or up to 2,048 of them, and few "dimensions"'
    return answer === null ? { kind: 'refused', message } : { kind: 'embeddings', answer }
  }
  const read = echoRequest.safeParse(value)
  if (read.success) return { kind: 'request', request: read.data }
  if (isRecord(value) && !('messages' in value)) return { kind: 'refused', message: CHATS_ALONE }
  const [line = 'not a chat request'] = issueLines(read.error, value, 'body')
  return { kind: 'refused', message: line }
}

type ToolCall = {
  readonly id: string
  readonly type: 'function'
  readonly function: { readonly name: string; readonly arguments: string }
}

export type Message = {
  readonly role: 'assistant'
  readonly content: string | null
  readonly refusal: null
  readonly tool_calls?: readonly ToolCall[]
}

export type Answer = {
  readonly message: Message
  readonly finishReason: 'stop' | 'length' | 'tool_calls'
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number; readonly total_tokens: number }
}

/** More words than people say to an echo: each is a string, and a body of 32 MiB would hold up all requests for seconds. */
const MOST_WORDS = 10_000

/**
 * The tokens of a text, as the echo upstream counts: a word with the white space before it, and after the first 10,000
 * pieces of 4,096 characters. They join to the text.
 */
export function tokensOf(text: string): readonly string[] {
  const tokens: string[] = []
  let end = 0
  for (const [token] of text.matchAll(/\s*\S+|\s+$/g)) {
    if (tokens.length === MOST_WORDS) return [...tokens, ...(text.slice(end).match(/.{1,4096}/gsu) ?? [])]
    tokens.push(token)
    end += token.length
  }
  return tokens
}

/**
 * What the echo upstream answers: the last message, cut at the first `stop` and after `max_tokens` tokens; or a call
 * of a tool, when `tool_choice` asks for one or the last user message names it.
 */
export function answerOf(request: EchoRequest): Answer {
  const said = textOf(request.messages.findLast(({ role }) => role === 'user' || role === 'tool')?.content)
  const promptTokens = request.messages.reduce((sum, { content }) => sum + tokensOf(textOf(content)).length, 0)
  const usageOf = (completionTokens: number) => ({
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  })

  const call = toolCallOf(request, said)
  if (call !== null) {
    return {
      message: { role: 'assistant', content: null, refusal: null, tool_calls: [call] },
      finishReason: 'tool_calls',
      usage: usageOf(tokensOf(call.function.arguments).length),
    }
  }
  const tokens = tokensOf(beforeStop(said, request.stop))
  const limit = request.max_completion_tokens ?? request.max_tokens ?? Number.POSITIVE_INFINITY
  const kept = tokens.slice(0, Math.max(0, limit))
  return {
    message: { role: 'assistant', content: kept.join(''), refusal: null },
    finishReason: kept.length < tokens.length ? 'length' : 'stop',
    usage: usageOf(kept.length),
  }
}

/** A message's text: the string, or the text parts of a list joined. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content
    .map((part: unknown) =>
      part !== null && typeof part === 'object' && 'text' in part && typeof part.text === 'string' ? part.text : '',
    )
    .join('')
}

function beforeStop(text: string, stop: EchoRequest['stop']): string {
  const stops = typeof stop === 'string' ? [stop] : (stop ?? [])
  const cuts = stops
    .filter((s) => s !== '')
    .map((s) => text.indexOf(s))
    .filter((at) => at !== -1)
  return cuts.length === 0 ? text : text.slice(0, Math.min(...cuts))
}

function toolCallOf(request: EchoRequest, said: string): ToolCall | null {
  const tools = request.tools ?? []
  const choice = request.tool_choice ?? 'auto'
  if (choice === 'none' || request.messages.at(-1)?.role === 'tool') return null
  const wanted = typeof choice === 'object' ? choice.function?.name : undefined
  const tool = tools.find(({ function: f }) => {
    if (f === undefined) return false
    if (wanted !== undefined) return f.name === wanted
    return choice === 'required' || said.includes(f.name)
  })?.function
  if (tool === undefined) return null
  const args = JSON.stringify(exampleOf(tool.parameters ?? { type: 'object' }, said, 0))
  return { id: `call_echo_${tool.name}`, type: 'function', function: { name: tool.name, arguments: args } }
}

/** The simplest value of a JSON Schema; strings get the beginning of the user's message. */
function exampleOf(schema: unknown, text: string, depth: number): unknown {
  if (!isRecord(schema)) return null
  const { enum: choices, type, properties } = schema
  if (Array.isArray(choices)) return choices[0] ?? null
  switch (type) {
    case 'number':
    case 'integer':
      return 0
    case 'boolean':
      return false
    case 'array':
      return []
    case 'null':
      return null
    case 'string':
      return text.slice(0, MAX_EXAMPLE_CHARACTERS)
    default: {
      if (depth >= MAX_EXAMPLE_DEPTH || !isRecord(properties)) return {}
      const examples = Object.entries(properties).map(([name, property]) => [
        name,
        exampleOf(property, text, depth + 1),
      ])
      return Object.fromEntries(examples)
    }
  }
}
