import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { ALPN, writeMessage } from '../../daemon/relay/protocol.ts'
import { FLAG, frame, reset, SETTING, settings, TYPE, takeFrames, uint32, windowUpdate } from './h2-frames.ts'
import { DOMAIN, ed25519Identity } from './relay.ts'

type Identity = Awaited<ReturnType<typeof ed25519Identity>>

/** A node that speaks in frames and keeps its connection whatever it is told: of all that it is told it answers visitors alone. */
export type RawNode = {
  readonly id: string
  readonly host: string
  readonly socket: TLSSocket
  readonly send: (...frames: readonly Buffer[]) => void
  /** Reads nothing any more: the window of TCP is closed before long. */
  readonly stall: () => void
  /** Waits for a frame, or for the end. @param stream any one when absent */
  readonly see: (type: number, stream?: number) => Promise<void>
  readonly stop: () => void
}

/** The stream of messages: the first one that the relay opens. */
const CONTROL = 1
/** `:status: 200` of the static table. @see https://www.rfc-editor.org/rfc/rfc7541#appendix-A */
const STATUS_200 = Buffer.of(0x88)

export const okHeaders = (stream: number, flags = 0): Buffer =>
  frame(TYPE.headers, FLAG.endHeaders | flags, stream, STATUS_200)
export const helloData = (): Buffer =>
  frame(TYPE.data, 0, CONTROL, writeMessage({ type: 'hello', proto: [1], instanceId: 'raw' }))
export const goAway = (code = 0): Buffer => frame(TYPE.goAway, 0, 0, uint32(2 ** 31 - 1, code))
export const resetControl = (code = 8): Buffer => reset(CONTROL, code)

/** Dials a relay and begins HTTP/2, without a hello. */
export async function dialRaw(port: number, given?: Identity): Promise<RawNode> {
  const { key, cert, id } = given ?? (await ed25519Identity())
  const tcp: Socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true })
  const socket = connect({
    socket: tcp,
    key,
    cert,
    servername: `relay.${DOMAIN}`,
    ALPNProtocols: [ALPN],
    rejectUnauthorized: false,
  })
  socket.on('error', () => {})
  tcp.on('error', () => {})
  await once(socket, 'secureConnect')
  let held: Buffer = Buffer.alloc(0)
  const seen = new Set<string>()
  const waiting = new Set<() => void>()
  let hasPreface = false
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk])
    if (!hasPreface && held.length < 24) return
    if (!hasPreface) held = held.subarray(24)
    hasPreface = true
    const { frames, rest } = takeFrames(held)
    held = rest
    for (const { type, stream } of frames) {
      seen.add(`${type}`).add(`${type} ${stream}`)
      if (type === TYPE.headers && stream > CONTROL) socket.write(okHeaders(stream))
    }
    wake()
  })
  socket.allowHalfOpen = true
  const wake = () => {
    for (const look of waiting) look()
  }
  socket.once('end', wake).once('close', wake)
  // as much as there may be, so that only TCP holds the relay up
  socket.write(Buffer.concat([settings([SETTING.window, 2 ** 24]), windowUpdate(0, 2 ** 30)]))
  return {
    id,
    host: `${id}.${DOMAIN}`,
    socket,
    send: (...frames) => void socket.write(Buffer.concat(frames)),
    stall: () => {
      socket.pause()
      tcp.pause()
    },
    see: (type, stream) =>
      new Promise((resolve) => {
        const look = () => {
          const isSeen = seen.has(stream === undefined ? `${type}` : `${type} ${stream}`)
          if (!isSeen && !socket.readableEnded && !socket.destroyed) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
    stop: () => {
      socket.destroy()
      tcp.destroy()
    },
  }
}

/** One that has said hello and was welcomed. */
export async function joinRaw(port: number, given?: Identity): Promise<RawNode> {
  const node = await dialRaw(port, given)
  await node.see(TYPE.headers)
  node.send(okHeaders(CONTROL), helloData())
  await node.see(TYPE.data)
  return node
}
