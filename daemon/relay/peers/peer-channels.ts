import type { TLSSocket } from 'node:tls'
import { destroySoon } from '../../listener/last-words.ts'
import { Channel } from './channel.ts'
import { FRAME, type Frame, FrameError, frameOf, framesIn, HEADER_BYTES, ID_BYTES } from './frames.ts'

/** What a channel is told to when it begins, and when it goes on over another connection. */
export type Began = (channel: Channel, isNew: boolean) => void

type Known = { readonly node: string; readonly channel: Channel; expiry: NodeJS.Timeout | undefined }

const HELLO_MS = 5_000
const HELLO_BYTES = HEADER_BYTES + ID_BYTES
/** How long a channel without a connection is kept: longer than the other side tries. */
const KEPT_MS = 30_000
/** Channels of one gateway. */
const MOST_OF_NODE = 512
/** Ids of channels that are over: one that comes again is refused, so that no request begins twice. */
const MOST_OVER = 10_000

/** The channels of other gateways, which outlive the connections that carry them. */
export function createPeerChannels() {
  const known = new Map<string, Known>()
  const over = new Set<string>()

  function countOf(node: string): number {
    let count = 0
    for (const one of known.values()) if (one.node === node) count += 1
    return count
  }

  function begin(name: string, node: string): Known | null {
    if (over.has(name) || countOf(node) >= MOST_OF_NODE) return null
    const channel = new Channel()
    const one: Known = { node, channel, expiry: undefined }
    known.set(name, one)
    channel.on('error', () => channel.destroy())
    channel.on('detached', () => {
      one.expiry = setTimeout(() => channel.destroy(), KEPT_MS).unref()
    })
    channel.once('close', () => {
      clearTimeout(one.expiry)
      known.delete(name)
      const [oldest] = over
      if (over.size >= MOST_OVER && oldest !== undefined) over.delete(oldest)
      over.add(name)
    })
    return one
  }

  function hear({ type, number, body }: Frame, socket: TLSSocket, node: string, began: Began) {
    if (type !== FRAME.begin && type !== FRAME.resume) throw new FrameError('a channel is named first')
    const name = `${node} ${body.toString('hex')}`
    const before = known.get(name)
    const one = before ?? (type === FRAME.begin ? begin(name, node) : null)
    if (one === null) {
      socket.end(frameOf(FRAME.gone))
      destroySoon(socket)
      return null
    }
    clearTimeout(one.expiry)
    began(one.channel, before === undefined)
    return one.channel.attach(socket, frameOf(FRAME.welcome, one.channel.received), number)
  }

  return {
    /** Takes the connection of a gateway that was let in, whose first frame says which channel it carries. */
    take(socket: TLSSocket, node: string, began: Began): void {
      const timer = setTimeout(() => socket.destroy(), HELLO_MS).unref()
      socket.once('close', () => clearTimeout(timer))
      let start = Buffer.alloc(0)
      const first = (chunk: Buffer) => {
        start = Buffer.concat([start, chunk])
        if (start.length < HELLO_BYTES) return
        clearTimeout(timer)
        socket.off('data', first)
        try {
          const [hello] = framesIn(start.subarray(0, HELLO_BYTES))
          if (hello === undefined) throw new FrameError('a channel is named first')
          const feed = hear(hello, socket, node, began)
          if (start.length > HELLO_BYTES) feed?.(start.subarray(HELLO_BYTES))
        } catch (error) {
          if (!(error instanceof FrameError)) throw error
          socket.destroy()
        }
      }
      socket.on('data', first)
    },
    /** Ends those of gateways that may not connect any more. */
    endOf(isMeant: (node: string) => boolean): void {
      for (const { node, channel } of known.values()) if (isMeant(node)) channel.destroy()
    },
  }
}
