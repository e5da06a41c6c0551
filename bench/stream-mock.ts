// Mock upstream for the streaming case: OpenAI's SSE format, `max_tokens` numbered tokens at a fixed pace.
// Bytes are written by hand to plain sockets, from buffers made once: it shares a core with the load client.
import { createServer, type Socket } from 'node:net'
import { z } from 'zod'

type Stream = { readonly socket: Socket; readonly tokens: number; readonly withUsage: boolean; next: number }

/** Streams take turns in a wheel of one slot per millisecond, so that late timers never slow a stream down. */
function createPace(intervalMs: number) {
  const wheel = Array.from({ length: intervalMs }, () => new Set<Stream>())
  let servedMs = Math.floor(performance.now())
  return {
    join: (stream: Stream) => void wheel[servedMs % intervalMs]?.add(stream),
    tick(): void {
      for (const nowMs = Math.floor(performance.now()); servedMs < nowMs; ) {
        servedMs += 1
        const slot = wheel[servedMs % intervalMs] ?? new Set()
        for (const stream of slot) if (!writeNext(stream)) slot.delete(stream)
      }
    },
  }
}

/** @returns whether more is to come */
function writeNext(stream: Stream): boolean {
  const { socket, tokens, next, withUsage } = stream
  if (socket.destroyed) return false
  if (next < tokens) {
    socket.write(tokenFrame(next))
    stream.next += 1
    return true
  }
  socket.write(Buffer.concat([finish, ...(withUsage ? [usage(tokens)] : []), done]))
  return false
}

const order = z.object({
  max_tokens: z.int().positive(),
  stream: z.literal(true),
  stream_options: z.object({ include_usage: z.boolean() }).optional(),
})

function serve(socket: Socket, join: (stream: Stream) => void): void {
  let pending = ''
  socket.setEncoding('latin1')
  socket.on('error', () => socket.destroy())
  socket.on('data', (text: string) => {
    pending += text
    const body = completeBody(pending)
    if (body === undefined) return
    pending = ''
    const { max_tokens: tokens, stream_options } = order.parse(JSON.parse(body))
    socket.write(start)
    join({ socket, tokens, withUsage: stream_options?.include_usage === true, next: 1 })
  })
}

/** @returns the body of the request in `text` (latin1) once it is all there; one request at a time */
function completeBody(text: string): string | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const body = text.slice(end + 4)
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end))?.[1]
  if (length !== undefined) return body.length >= Number(length) ? body : undefined
  if (!body.endsWith('\r\n0\r\n\r\n') && !body.endsWith('0\r\n\r\n')) return undefined
  return body.replaceAll(/(?:^|\r\n)[0-9a-f]+\r\n/gi, '').trimEnd()
}

const HEAD =
  'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"mock","system_fingerprint":"fp_mock",'
const choice = (delta: string, finishReason = 'null') =>
  `${HEAD}"choices":[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${finishReason}}]}\n\n`
/** One HTTP/1.1 chunk: RFC 9112 section 7.1. */
const chunk = (text: string) => Buffer.from(`${text.length.toString(16)}\r\n${text}\r\n`)
const start = Buffer.concat([
  Buffer.from(
    'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n',
  ),
  chunk(choice('{"role":"assistant","content":""}') + choice('{"content":"0 "}')),
])
const finish = chunk(choice('{}', '"stop"'))
const done = Buffer.concat([chunk('data: [DONE]\n\n'), Buffer.from('0\r\n\r\n')])
const usage = (tokens: number) =>
  chunk(
    `${HEAD}"choices":[],"usage":{"prompt_tokens":75,"completion_tokens":${tokens},"total_tokens":${75 + tokens}}}\n\n`,
  )
const frames: Buffer[] = []
function tokenFrame(number: number): Buffer {
  const made = frames[number] ?? chunk(choice(`{"content":"${number} "}`))
  frames[number] = made
  return made
}

/** Usage: node stream-mock.ts PORT INTERVAL_MS */
if (import.meta.main) {
  const [port, intervalMs] = z.tuple([z.coerce.number(), z.coerce.number()]).parse(process.argv.slice(2))
  const pace = createPace(intervalMs)
  createServer({ noDelay: true }, (socket) => serve(socket, pace.join)).listen(port, '127.0.0.1')
  setInterval(pace.tick, 1)
}
