/** The parts of a chat completion request that the echo upstream reads. */
export type EchoRequest = {
  readonly model: string
  readonly messages: readonly { readonly role?: string; readonly content?: unknown }[]
  readonly stream?: boolean
  readonly stream_options?: { readonly include_usage?: boolean } | null
  readonly max_tokens?: number | null
  readonly max_completion_tokens?: number | null
  readonly stop?: string | readonly string[] | null
  readonly tools?: readonly { readonly function?: { readonly name?: string; readonly parameters?: JsonSchema } }[]
  readonly tool_choice?: string | { readonly function?: { readonly name?: string } } | null
}

type JsonSchema = {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
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

/** The tokens of a text, as the echo upstream counts: a word with the white space before it. They join to the text. */
export function tokensOf(text: string): readonly string[] {
  return text.match(/\s*\S+|\s+$/g) ?? []
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
    if (f?.name === undefined) return false
    if (wanted !== undefined) return f.name === wanted
    return choice === 'required' || said.includes(f.name)
  })?.function
  if (tool?.name === undefined) return null
  const args = JSON.stringify(exampleOf(tool.parameters ?? { type: 'object' }, said, 0))
  return { id: `call_echo_${tool.name}`, type: 'function', function: { name: tool.name, arguments: args } }
}

/** The simplest value of a JSON Schema; strings get the user's message. */
function exampleOf(schema: JsonSchema, text: string, depth: number): unknown {
  if (schema.enum !== undefined) return schema.enum[0] ?? null
  switch (schema.type) {
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
      return text
    default: {
      if (depth >= 8) return {}
      const properties = Object.entries(schema.properties ?? {})
      return Object.fromEntries(properties.map(([name, property]) => [name, exampleOf(property, text, depth + 1)]))
    }
  }
}
