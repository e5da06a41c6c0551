import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'

/** What an engine does, and after how many chat requests it does something else. */
export type Behaviour = {
  readonly model: string
  readonly crashAfter: number | undefined
  readonly hangAfter: number | undefined
  readonly unhealthyAfter: number | undefined
  readonly tokenDelayMs: number
  /** Tokens of an answer whose request has no max_tokens; 0: the words of the last message. */
  readonly tokens: number
}

const CRASH_CODE = 70
const MOST_BODY_BYTES = 1024 * 1024

/**
 * Answers like an OpenAI-compatible engine: /health, /v1/models, /v1/chat/completions.
 * @see https://platform.openai.com/docs/api-reference/chat
 */
export function answer(behaviour: Behaviour): RequestListener {
  let chats = 0
  return (message, response) => {
    const isOver = (limit: number | undefined) => limit !== undefined && chats > limit
    const path = `${message.method} ${message.url}`
    if (path === 'GET /health') {
      const isWell = !(behaviour.unhealthyAfter !== undefined && chats >= behaviour.unhealthyAfter)
      send(response, isWell ? 200 : 503, { status: isWell ? 'ok' : 'unwell, as told' })
    } else if (path === 'GET /v1/models') {
      send(response, 200, { object: 'list', data: [{ id: behaviour.model, object: 'model', owned_by: 'test' }] })
    } else if (path === 'POST /v1/chat/completions') {
      chats++
      if (isOver(behaviour.crashAfter)) crash()
      if (isOver(behaviour.hangAfter)) return
      chat(behaviour, message, response, chats).catch((error: unknown) => {
        console.error(`engine: ${String(error)}`)
        response.destroy()
      })
    } else send(response, 404, { error: { message: `no ${path} here`, type: 'invalid_request_error' } })
  }
}

function crash(): never {
  console.error('engine: crashing, as told')
  process.exit(CRASH_CODE)
}

type ChatRequest = {
  readonly model?: string
  readonly stream?: boolean
  readonly max_tokens?: number
  readonly stream_options?: { readonly include_usage?: boolean }
  readonly messages?: readonly { readonly content?: unknown }[]
}

async function chat(
  behaviour: Behaviour,
  message: IncomingMessage,
  response: ServerResponse,
  number: number,
): Promise<void> {
  const request = await bodyOf(message)
  if (request === undefined) {
    send(response, 400, { error: { message: 'the body is not a JSON object', type: 'invalid_request_error' } })
    return
  }
  const tokens = tokensOf(request, behaviour)
  const common = { id: `chatcmpl-${number}`, created: Math.floor(Date.now() / 1000), model: behaviour.model }
  const usage = { prompt_tokens: 1, completion_tokens: tokens.length, total_tokens: 1 + tokens.length }
  if (request.stream !== true) {
    for (const _ of tokens) await pauseFor(behaviour)
    const choice = { index: 0, message: { role: 'assistant', content: tokens.join('') }, finish_reason: 'stop' }
    send(response, 200, { ...common, object: 'chat.completion', choices: [choice], usage })
    return
  }
  response.setHeader('content-type', 'text/event-stream')
  response.flushHeaders()
  const frame = (body: object) =>
    response.write(`data: ${JSON.stringify({ ...common, object: 'chat.completion.chunk', ...body })}\n\n`)
  const part = (delta: object, reason: string | null) => ({ choices: [{ index: 0, delta, finish_reason: reason }] })
  frame(part({ role: 'assistant', content: '' }, null))
  for (const content of tokens) {
    await pauseFor(behaviour)
    if (response.destroyed) return
    frame(part({ content }, null))
  }
  frame(part({}, 'stop'))
  if (request.stream_options?.include_usage === true) frame({ choices: [], usage })
  response.end('data: [DONE]\n\n')
}

async function pauseFor({ tokenDelayMs }: Behaviour): Promise<void> {
  if (tokenDelayMs > 0) await pause(tokenDelayMs)
}

/** `0 `, `1 `, … when a number of tokens is asked for, else the words of the last message, said back. */
function tokensOf(request: ChatRequest, behaviour: Behaviour): string[] {
  const count = request.max_tokens ?? behaviour.tokens
  if (count > 0) return Array.from({ length: count }, (_, i) => `${i} `)
  const said = request.messages?.at(-1)?.content
  return typeof said === 'string' ? (said.match(/\S+\s*/g) ?? []) : []
}

/** @returns undefined when it is no JSON object of at most 1 MiB */
async function bodyOf(message: IncomingMessage): Promise<ChatRequest | undefined> {
  let text = ''
  for await (const chunk of message) {
    text += String(chunk)
    if (text.length > MOST_BODY_BYTES) return undefined
  }
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null ? body : undefined
  } catch {
    return undefined
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
