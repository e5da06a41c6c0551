import { connect, type TLSSocket } from 'node:tls'
import { CODES, FLAG, type Frame, frame, PREFACE, ping, settings, TYPE, takeFrames } from './h2-frames.ts'
import { type Field, statusOf } from './hpack.ts'

/** How a server ends something that was sent to it. `answered` carries the status and the body. */
export type Outcome =
  | { readonly kind: 'connection'; readonly code: string }
  | { readonly kind: 'stream'; readonly code: string; readonly stream: number }
  | { readonly kind: 'answered'; readonly status: number; readonly body: string }
  | { readonly kind: 'ignored' }
  | { readonly kind: 'closed' }

/** A connection whose frames are written by hand and read whole. */
export type H2Client = Disposable & {
  readonly send: (...bytes: readonly Buffer[]) => void
  /** Of what came until now. */
  readonly frames: readonly Frame[]
  readonly isClosed: () => boolean
  readonly socket: TLSSocket
  /**
   * Waits for the first frame, of all that came, for which `find` finds something; or for the connection's end.
   * @returns undefined: it was closed before
   * @throws Error after `deadlineMs`
   */
  readonly first: <T>(find: (frame: Frame) => T | undefined, deadlineMs?: number) => Promise<T | undefined>
}

/**
 * Connects and sends the preface, an empty SETTINGS, and the ACK of the server's.
 * @param opening what is sent instead, as it is
 * @throws Error when the server does not choose h2
 */
export async function connectH2(
  url: string,
  {
    servername = 'localhost',
    opening = [PREFACE, settings(), frame(TYPE.settings, FLAG.ack, 0)],
  }: { readonly servername?: string; readonly opening?: readonly Buffer[] } = {},
): Promise<H2Client> {
  const { hostname, port } = new URL(url)
  const socket = connect({
    host: hostname,
    port: Number(port),
    servername,
    ALPNProtocols: ['h2'],
    rejectUnauthorized: false,
  })
  const frames: Frame[] = []
  const waiting = new Set<() => void>()
  const wake = () => {
    for (const look of [...waiting]) look()
  }
  let closed = false
  let rest: Buffer = Buffer.of()
  socket.on('data', (chunk: Buffer) => {
    const taken = takeFrames(Buffer.concat([rest, chunk]))
    rest = taken.rest
    frames.push(...taken.frames)
    wake()
  })
  socket.on('error', () => {}) // a reset is an end
  socket.on('end', () => socket.destroy())
  socket.on('close', () => {
    closed = true
    wake()
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve)
    socket.once('close', () => reject(new Error('the connection was closed in its handshake')))
  })
  if (socket.alpnProtocol !== 'h2') throw new Error(`the server chose ${socket.alpnProtocol}`)
  socket.write(Buffer.concat(opening))
  return {
    socket,
    frames,
    isClosed: () => closed,
    send: (...bytes) => void socket.write(Buffer.concat(bytes)),
    first: (find, deadlineMs = 10_000) =>
      new Promise((resolve, reject) => {
        let looked = 0
        const end = (conclude: () => void) => {
          clearTimeout(timer)
          waiting.delete(look)
          conclude()
        }
        const look = () => {
          while (looked < frames.length) {
            const found = find(frames[looked++] as Frame)
            if (found !== undefined) return end(() => resolve(found))
          }
          if (closed) end(() => resolve(undefined))
        }
        const said = () => new Error(`nothing after ${deadlineMs} ms but ${frames.map(({ type }) => type).join(' ')}`)
        const timer = setTimeout(() => end(() => reject(said())), deadlineMs)
        waiting.add(look)
        look()
      }),
    [Symbol.dispose]: () => void socket.destroy(),
  }
}

/** Twice, as ACKs of PINGs overtake other frames that are ready to be sent. */
const MARKS = ['are you ', 'there???']

/**
 * Sends bytes, and finds out what the server makes of them: an error of the connection or of a stream, the whole answer to
 * a request, or nothing, which is known when two PINGs that were sent after them, one after the other, are answered first.
 * @param expectsAnswer waits for the answer on that stream rather than for the PINGs
 */
export async function outcomeOf(client: H2Client, bytes: readonly Buffer[], expectsAnswer?: number): Promise<Outcome> {
  const before = client.frames.length
  let seen = 0
  let status = 0
  let body = ''
  const marks = expectsAnswer === undefined ? MARKS.map((text) => ping(text)) : []
  client.send(...bytes, ...marks.splice(0, 1))
  const outcome = await client.first<Outcome>((came) => {
    seen += 1
    if (seen <= before) return undefined
    if (came.type === TYPE.goAway) return { kind: 'connection', code: codeAt(came, 4) }
    if (came.type === TYPE.reset) return { kind: 'stream', code: codeAt(came, 0), stream: came.stream }
    if (came.type === TYPE.ping && came.flags & FLAG.ack && MARKS.includes(came.payload.toString())) {
      if (marks.length === 0) return { kind: 'ignored' }
      client.send(...marks.splice(0, 1))
    }
    if (came.stream !== expectsAnswer) return undefined
    if (came.type === TYPE.headers && status === 0) status = statusOf(came.payload)
    if (came.type === TYPE.data) body += came.payload.toString()
    const isEnd = (came.type === TYPE.headers || came.type === TYPE.data) && (came.flags & FLAG.endStream) !== 0
    return isEnd ? { kind: 'answered', status, body } : undefined
  })
  return outcome ?? { kind: 'closed' }
}

const codeAt = ({ payload }: Frame, at: number): string => {
  const code = payload.readUInt32BE(at)
  return CODES[code] ?? `code ${code}`
}

/** The four fields that a request has. @param more after them */
export const requestFields = (
  method: string,
  path: string,
  more: readonly Field[] = [],
  authority = 'localhost',
): readonly Field[] => [[':method', method], [':scheme', 'https'], [':path', path], [':authority', authority], ...more]
