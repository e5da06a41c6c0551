// Mock upstream for the streaming cases: as many numbered tokens as the request allows at a fixed pace, in the dialect
// of the path. Answers that are no streams come at once.
// Bytes are written by hand to plain sockets, from buffers made once: it shares a core with the load client.
import { createServer, type Socket } from 'node:net'
import { z } from 'zod'
import { DIALECTS, dialectAt } from './dialects.ts'

type Stream = {
  readonly socket: Socket
  readonly tokens: number
  readonly bytes: DialectBytes
  readonly withUsage: boolean
  next: number
}

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
  const { socket, tokens, bytes, next, withUsage } = stream
  if (socket.destroyed) return false
  if (next < tokens) {
    socket.write(bytes.token(next))
    stream.next += 1
    return true
  }
  socket.write(bytes.end(tokens, withUsage))
  return false
}

const order = z.object({
  model: z.string(),
  max_tokens: z.int().positive().optional(),
  max_completion_tokens: z.int().positive().optional(),
  max_output_tokens: z.int().positive().optional(),
  stream: z.boolean().default(false),
  stream_options: z.object({ include_usage: z.boolean().optional() }).nullish(),
})
const FEW_TOKENS = 10

/** The model that fails, each time in the next of these ways. */
const FAILING = 'failing'
const FAULTS: readonly ((socket: Socket, bytes: DialectBytes) => void)[] = [
  (socket) => socket.write(errorBytes(500)),
  (socket) => socket.write(errorBytes(429)),
  (socket) => socket.write(errorBytes(400)),
  (socket) => socket.destroy(),
  (socket, bytes) => socket.end(bytes.start),
  (socket, bytes) =>
    socket.write(Buffer.concat([bytes.start, chunk('data: {"error":{"message":"mock"}}\n\n'), LAST_CHUNK])),
  (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>'),
]
let faults = 0

/** @param join null: streams are sent at once */
function serve(socket: Socket, join: ((stream: Stream) => void) | null): void {
  let pending = ''
  socket.setEncoding('latin1')
  socket.on('error', () => socket.destroy())
  socket.on('data', (text: string) => {
    pending += text
    const body = completeBody(pending)
    if (body === undefined) return
    const bytes = bytesAt(pending.slice(pending.indexOf(' ') + 1, pending.indexOf(' HTTP/')))
    pending = ''
    const asked = order.parse(JSON.parse(body))
    if (asked.model === FAILING) {
      faults += 1
      FAULTS[faults % FAULTS.length]?.(socket, bytes)
      return
    }
    const tokens = asked.max_tokens ?? asked.max_completion_tokens ?? asked.max_output_tokens ?? FEW_TOKENS
    if (!asked.stream) {
      socket.write(bytes.whole(tokens))
      return
    }
    const withUsage = asked.stream_options?.include_usage === true
    if (join === null) socket.write(bytes.all(tokens, withUsage))
    else {
      socket.write(bytes.start)
      join({ socket, tokens, bytes, withUsage, next: 1 })
    }
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

/** One HTTP/1.1 chunk: RFC 9112 section 7.1. */
const chunk = (text: string) => Buffer.from(`${text.length.toString(16)}\r\n${text}\r\n`)
const STREAM_HEAD = Buffer.from(
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n',
)
const LAST_CHUNK = Buffer.from('0\r\n\r\n')

function errorBytes(status: number): string {
  const body = JSON.stringify({ error: { message: 'mock', type: 'mock', param: null, code: null } })
  return `HTTP/1.1 ${status} Mock\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}

type DialectBytes = ReturnType<typeof bytesOf>

/** What the mock writes in one dialect, each piece made once. */
function bytesOf(dialect: (typeof DIALECTS)[keyof typeof DIALECTS]) {
  const made = new Map<string, Buffer>()
  const once = (name: string, make: () => Buffer): Buffer => {
    const bytes = made.get(name) ?? make()
    made.set(name, bytes)
    return bytes
  }
  const numbers = (tokens: number) => Array.from({ length: tokens }, (_, number) => number)
  const start = Buffer.concat([STREAM_HEAD, chunk(dialect.start + dialect.token(0))])
  const token = (number: number) => once(`token ${number}`, () => chunk(dialect.token(number)))
  const end = (tokens: number, withUsage: boolean) =>
    once(`end ${tokens} ${withUsage}`, () => Buffer.concat([chunk(dialect.end(tokens, withUsage)), LAST_CHUNK]))
  return {
    start,
    token,
    end,
    all: (tokens: number, withUsage: boolean) =>
      once(`all ${tokens} ${withUsage}`, () => {
        const frames = dialect.start + numbers(tokens).map(dialect.token).join('') + dialect.end(tokens, withUsage)
        return Buffer.concat([STREAM_HEAD, chunk(frames), LAST_CHUNK])
      }),
    whole: (tokens: number) =>
      once(`whole ${tokens}`, () => {
        const body = JSON.stringify(
          dialect.whole(
            numbers(tokens)
              .map((number) => `${number} `)
              .join(''),
            tokens,
          ),
        )
        const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
        return Buffer.from(head + body)
      }),
  }
}

const BYTES = new Map(Object.values(DIALECTS).map((dialect) => [dialect, bytesOf(dialect)]))
const bytesAt = (path: string): DialectBytes => {
  const dialect = dialectAt(path)
  return BYTES.get(dialect) ?? bytesOf(dialect)
}

/** Usage: node stream-mock.ts PORT INTERVAL_MS; 0: all of a stream at once */
if (import.meta.main) {
  const [port, intervalMs] = z.tuple([z.coerce.number(), z.coerce.number()]).parse(process.argv.slice(2))
  const pace = intervalMs === 0 ? null : createPace(intervalMs)
  createServer({ noDelay: true }, (socket) => serve(socket, pace?.join ?? null)).listen(port, '127.0.0.1')
  if (pace !== null) setInterval(pace.tick, 1)
}
