import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type TLSSocket } from 'node:tls'
import { pinOf } from '../../daemon/relay/client/trust.ts'
import { ALPN, CONTROL_PATH, VISITOR, writeMessage } from '../../daemon/relay/protocol.ts'
import { FLAG, frame, headers, PREFACE, settings, TYPE, takeFrames } from './h2-frames.ts'
import { literals } from './hpack.ts'
import { makeIdentity } from './identities.ts'
import { DOMAIN, portOf } from './relay.ts'

/** A relay that speaks in frames, so that it says what no library of HTTP/2 would. */
export type RawRelay = {
  readonly port: number
  readonly pin: string
  /** Of the node that came first. */
  readonly socket: () => TLSSocket
  /** Whether the node has been welcomed. */
  readonly isJoined: () => boolean
  readonly stop: () => Promise<void>
}

const CONTROL = 1
const OPEN = FLAG.endHeaders

/** Beginning of a visitor's stream. @param stream odd, and higher than all before */
export const visitorHeaders = (stream: number, name: string): Buffer =>
  headers(
    stream,
    literals([
      [':method', 'CONNECT'],
      [':authority', `${name}:443`],
      [VISITOR.source, '192.0.2.9:50000'],
      [VISITOR.target, '192.0.2.1:443'],
    ]),
    OPEN,
  )

/** @param name that leads to the node */
export async function startRawRelay(name: string): Promise<RawRelay> {
  const own = makeIdentity([`relay.${DOMAIN}`])
  const sockets: TLSSocket[] = []
  let isJoined = false
  const options = { ALPNProtocols: [ALPN], requestCert: true, rejectUnauthorized: false }
  const server = createServer({ ...own, ...options }, (socket) => {
    sockets.push(socket.on('error', () => {}))
    let held: Buffer = Buffer.alloc(0)
    const control = literals([
      [':method', 'POST'],
      [':scheme', 'https'],
      [':path', CONTROL_PATH],
      [':authority', 'node'],
    ])
    socket.write(Buffer.concat([PREFACE, settings(), headers(CONTROL, control, OPEN)]))
    socket.on('data', (chunk: Buffer) => {
      const { frames, rest } = takeFrames(Buffer.concat([held, chunk]))
      held = rest
      for (const { type, flags, stream, payload } of frames) {
        const isAnswer = (flags & FLAG.ack) !== 0
        if (type === TYPE.settings && !isAnswer) socket.write(frame(TYPE.settings, FLAG.ack, 0))
        if (type === TYPE.ping && !isAnswer) socket.write(frame(TYPE.ping, FLAG.ack, 0, payload))
        if (type !== TYPE.data || stream !== CONTROL || isJoined) continue
        isJoined = true
        socket.write(frame(TYPE.data, 0, CONTROL, welcome(name)))
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: portOf(server),
    pin: pinOf(new X509Certificate(own.cert).publicKey.export({ type: 'spki', format: 'der' })),
    socket() {
      const [first] = sockets
      if (first === undefined) throw new Error('no node has come')
      return first
    },
    isJoined: () => isJoined,
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const welcome = (name: string): Buffer =>
  writeMessage({
    type: 'welcome',
    proto: 1,
    relayId: 'raw',
    tunnelId: 'one',
    limits: { streams: 100_000, bytesPerSecond: 0 },
    names: [name],
    peers: [],
  })
