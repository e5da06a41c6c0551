import { eventsOf } from '../wire/run.ts'

/** What a client has made of an answer, or of what has come of it so far. */
export type Heard = {
  text: string
  /** Of the one call, as JSON. */
  json: string
  /** How it was told of the end; more than one is a fault. */
  readonly ends: ('done' | 'error')[]
  /** Of the error. */
  message: string
}

type Json = ReturnType<typeof JSON.parse>

/** How one dialect is spoken by its clients, as their SDKs read it. */
export type Client = {
  readonly path: (model: string, stream: boolean) => string
  readonly body: (model: string, stream: boolean) => object
  readonly event: (heard: Heard, data: Json, type: string) => void
  readonly whole: (heard: Heard, answer: Json) => void
}

const fail = (heard: Heard, message: string) => {
  heard.ends.push('error')
  heard.message = message
}
const asked = { messages: [{ role: 'user', content: 'hi' }] }

const google = (suffix: string): Client => ({
  path: (model, stream) => `/v1beta/models/${model}:${stream ? `streamGenerateContent${suffix}` : 'generateContent'}`,
  body: () => ({ contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }),
  event(heard, data) {
    if (data.error !== undefined) return fail(heard, data.error.message)
    for (const { content, finishReason } of data.candidates) {
      for (const { text = '', functionCall } of content?.parts ?? []) {
        heard.text += text
        if (functionCall !== undefined) heard.json += JSON.stringify(functionCall.args)
      }
      if (finishReason !== undefined) heard.ends.push('done')
    }
  },
  whole(heard, answer) {
    this.event(heard, answer, '')
  },
})

export const CLIENTS = {
  'openai-chat': {
    path: () => '/v1/chat/completions',
    body: (model, stream) => ({ model, stream, ...asked }),
    event(heard, data) {
      if (data === '[DONE]') return void heard.ends.push('done')
      if (data.error !== undefined) return fail(heard, data.error.message)
      for (const { delta } of data.choices) {
        heard.text += delta.content ?? ''
        for (const call of delta.tool_calls ?? []) heard.json += call.function?.arguments ?? ''
      }
    },
    whole(heard, { choices: [{ message }] }) {
      heard.text = message.content
      heard.json = message.tool_calls?.[0].function.arguments
    },
  },
  'openai-responses': {
    path: () => '/v1/responses',
    body: (model, stream) => ({ model, stream, input: 'hi' }),
    event(heard, data) {
      switch (data.type) {
        case 'response.output_text.delta':
          heard.text += data.delta
          break
        case 'response.function_call_arguments.delta':
          heard.json += data.delta
          break
        case 'response.completed':
        case 'response.incomplete':
          heard.ends.push('done')
          break
        case 'response.failed':
          fail(heard, data.response.error.message)
          break
        case 'error':
          fail(heard, data.message)
      }
    },
    whole(heard, { output }) {
      for (const { type, content, arguments: json } of output) {
        if (type === 'message') heard.text += content[0].text
        if (type === 'function_call') heard.json += json
      }
    },
  },
  anthropic: {
    path: () => '/v1/messages',
    body: (model, stream) => ({ model, stream, max_tokens: 64, ...asked }),
    event(heard, data, type) {
      if (type !== data.type) throw new Error(`the SDK drops a frame whose event line does not say ${data.type}`)
      if (type === 'message_stop') heard.ends.push('done')
      else if (type === 'error') fail(heard, data.error.message)
      else if (type === 'content_block_delta') {
        heard.text += data.delta.text ?? ''
        heard.json += data.delta.partial_json ?? ''
      }
    },
    whole(heard, { content }) {
      for (const { type, text, input } of content) {
        if (type === 'text') heard.text += text
        else heard.json += JSON.stringify(input)
      }
    },
  },
  google: google('?alt=sse'),
  'google as a list': google(''),
  ollama: {
    path: () => '/api/chat',
    body: (model, stream) => ({ model, stream, ...asked }),
    event(heard, data) {
      if (data.error !== undefined) return fail(heard, data.error)
      heard.text += data.message.content
      for (const call of data.message.tool_calls ?? []) heard.json += JSON.stringify(call.function.arguments)
      if (data.done) heard.ends.push('done')
    },
    whole(heard, answer) {
      this.event(heard, answer, '')
    },
  },
} as const satisfies Readonly<Record<string, Client>>
export type ClientName = keyof typeof CLIENTS

/** @param isOver nothing follows: then half an event is a fault @throws Error when a client could not read it */
export function heardIn(name: ClientName, raw: string, isOver: boolean): Heard {
  const heard: Heard = { text: '', json: '', ends: [], message: '' }
  const { event }: Client = CLIENTS[name]
  if (name === 'google as a list') {
    for (const data of listIn(raw, isOver)) event(heard, data, '')
    return heard
  }
  const end = name === 'ollama' ? '\n' : '\n\n'
  if (isOver && raw.trim() !== '' && !raw.endsWith(end)) throw new Error(`half an event: ${raw.slice(-200)}`)
  const events = eventsOf(isOver ? raw : raw.slice(0, raw.lastIndexOf(end) + end.length))
  for (const { data, type } of events) if (type !== 'ping') event(heard, data, type)
  return heard
}

function listIn(raw: string, isOver: boolean): readonly Json[] {
  if (isOver) return JSON.parse(raw)
  try {
    return JSON.parse(`${raw.trim().replace(/\]$/, '')}]`)
  } catch {
    return []
  }
}
