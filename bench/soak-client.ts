// Sends a mix of requests over kept-alive connections, one at a time on each, as its own process.
import { connect, type Socket } from 'node:net'
import { z } from 'zod'
import { agentRequest } from './agent-request.ts'
import { DIALECTS, type DialectName } from './dialects.ts'
import { answerStatus } from './rate-client.ts'
import { FAILING_MODEL, GATE_MODELS, KEY, REQUEST } from './servers.ts'

/** What one client process is told; requests go to 127.0.0.1. */
export type SoakOrder = { readonly port: number; readonly requests: number; readonly connections: number }

/** What it prints. `unexpected` are answers with another status than the kind of request has, and those cut short. */
export const soakResult = z.object({
  answered: z.number(),
  aborted: z.number(),
  unexpected: z.number(),
  firstFault: z.string(),
})
export type SoakResult = z.infer<typeof soakResult>

/** One kind of request. `share` says how many of all there are of it; `statuses`: what it may be answered with. */
type Kind = {
  readonly name: string
  readonly share: number
  /** @param last the id of the response that came last on the connection */
  readonly bytes: (last: string) => Buffer
  readonly statuses: readonly number[]
  /** The client leaves when the answer begins. */
  readonly isAborted?: boolean
}

const TOKENS = 6
const PROMPT = REQUEST.messages[0]?.content ?? ''
const FAULTY = [200, 400, 429, 500, 502, 503, 504]

const small = (dialect: DialectName, model: string, stream: boolean) => {
  const limit = dialect === 'responses' ? { max_output_tokens: TOKENS, input: PROMPT } : { max_tokens: TOKENS }
  return { model, stream, ...limit, ...(dialect !== 'responses' && { messages: REQUEST.messages }) }
}

const asks = (name: string, share: number, dialect: DialectName, body: object, rest: Partial<Kind> = {}): Kind => {
  const bytes = requestBytes(DIALECTS[dialect].path, JSON.stringify(body))
  return { name, share, bytes: () => bytes, statuses: [200], ...rest }
}

const { chat, messages, responses } = GATE_MODELS
const KINDS: readonly Kind[] = [
  asks('chat', 20, 'chat', small('chat', chat, false)),
  asks('chat, stream', 14, 'chat', small('chat', chat, true)),
  asks('messages', 5, 'messages', small('messages', messages, false)),
  asks('messages, stream', 8, 'messages', small('messages', messages, true)),
  asks('messages to chat', 5, 'messages', small('messages', chat, false)),
  asks('messages to chat, stream', 8, 'messages', small('messages', chat, true)),
  asks('chat to messages, stream', 5, 'chat', small('chat', messages, true)),
  asks('responses, stream', 3, 'responses', small('responses', responses, true)),
  asks('responses to chat, kept', 5, 'responses', small('responses', chat, false)),
  asks('an agent', 2, 'messages', agentRequest('messages', chat, TOKENS)),
  {
    name: 'responses that go on, stream',
    share: 5,
    bytes(last) {
      const previous = last === '' ? {} : { previous_response_id: last }
      return requestBytes(DIALECTS.responses.path, JSON.stringify({ ...small('responses', chat, true), ...previous }))
    },
    statuses: [200, 404], // its answer may have been trimmed
  },
  asks('aborted', 4, 'chat', small('chat', chat, true), { isAborted: true }),
  asks('aborted, translated', 4, 'messages', small('messages', chat, true), { isAborted: true }),
  asks('failing', 3, 'chat', small('chat', FAILING_MODEL, false), { statuses: FAULTY }),
  asks('failing, stream', 3, 'messages', small('messages', FAILING_MODEL, true), { statuses: FAULTY }),
  asks('unknown model', 2, 'messages', small('messages', 'unknown', true), { statuses: [404] }),
  asks('no messages', 2, 'chat', { model: chat }, { statuses: [400] }),
  {
    name: 'wrong key',
    share: 2,
    bytes: () => requestBytes(DIALECTS.chat.path, JSON.stringify(REQUEST), 'wrong'),
    statuses: [401],
  },
]

/** Every kind by its share, in an order that is always the same and mixes them. */
const MIX: readonly Kind[] = KINDS.flatMap((kind) => Array.from({ length: kind.share }, () => kind))
const STEP = 37 // has no divisor in common with 100

function requestBytes(path: string, body: string, key = KEY): Buffer {
  const head = [
    `POST ${path} HTTP/1.1`,
    'host: 127.0.0.1',
    'content-type: application/json',
    `authorization: Bearer ${key}`,
    `content-length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}

/** Sends so many requests. */
export async function runSoak({ port, requests, connections }: SoakOrder): Promise<SoakResult> {
  const result = { answered: 0, aborted: 0, unexpected: 0, firstFault: '' }
  let sent = 0

  async function lane(): Promise<void> {
    let socket = await open(port)
    let last = ''
    while (sent < requests) {
      const kind = MIX[(sent * STEP) % MIX.length]
      sent += 1
      if (kind === undefined) throw new Error('the mix is empty')
      const text = await answerOf(socket, kind.bytes(last), kind.isAborted === true)
      if (kind.isAborted === true) {
        result.aborted += 1
        // both ways of leaving: a reset, and an end
        if (result.aborted % 2 === 0) socket.destroy()
        else socket.resetAndDestroy()
      } else {
        result.answered += 1
        const status = answerStatus(text) ?? 0
        // a stream that fails when it has begun may be cut
        const isExpected =
          kind.statuses.includes(status) || (kind.statuses === FAULTY && text.startsWith('HTTP/1.1 200'))
        if (!isExpected) {
          result.unexpected += 1
          result.firstFault ||= `${kind.name}: ${text.slice(0, 1_000)}`
        }
        last = /"id":"(resp_[^"]+)"/.exec(text)?.[1] ?? last
      }
      if (socket.destroyed || socket.readableEnded) socket = await open(port)
    }
    socket.destroy()
  }
  await Promise.all(Array.from({ length: connections }, lane))
  return result
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket.off('error', reject)))
    socket.setEncoding('latin1').on('error', reject)
  })
}

/** Sends one request. @returns the answer, what came of it before the connection ended, or its beginning */
function answerOf(socket: Socket, request: Buffer, onlyBeginning: boolean): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const done = () => {
      socket.off('data', read).off('close', done).off('error', done).off('end', done)
      socket.on('error', () => {})
      resolve(text)
    }
    const read = (piece: string) => {
      text += piece
      if (onlyBeginning || answerStatus(text) !== undefined) done()
    }
    socket.on('data', read).on('close', done).on('error', done).on('end', done)
    socket.write(request)
  })
}

if (import.meta.main) {
  const order: SoakOrder = JSON.parse(process.argv[2] ?? '')
  console.log(JSON.stringify(await runSoak(order)))
}
