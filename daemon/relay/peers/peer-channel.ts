import type { NodeIdentity } from '../client/identity.ts'
import { Channel, reset } from './channel.ts'
import { FRAME, frameOf, ID_BYTES } from './frames.ts'
import { type Dialled, dialPeer, type Peer } from './peer-dial.ts'

export type PeerChannelParts = {
  readonly identity: NodeIdentity
  /** Where the other gateway is, now; null: it is no peer any more. */
  readonly whereIs: () => Peer | null
  readonly random: (bytes: number) => Buffer
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/** A channel without a connection is given up after so long; the other side keeps it a little longer. */
const RESUME_MS = 20_000
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1_000
/** How often the direct way is tried while a channel goes through a relay. */
const FIRST_DIRECT_MS = 1_000
const LONGEST_DIRECT_MS = 30_000

/**
 * Opens a channel to another gateway. When the connection that carries it is cut it goes on over another one, by
 * whichever way works, and directly again when that does.
 * @throws Error that says why no way leads there
 */
export async function openPeerChannel(parts: PeerChannelParts, timeoutMs: number): Promise<Channel> {
  const { identity, whereIs, random, now } = parts
  const id = random(ID_BYTES)
  const first = await dial(timeoutMs)
  const channel = new Channel()
  let isKnown = false
  let direct: NodeJS.Timeout | undefined

  function dial(limitMs: number, isDirect = false): Promise<Dialled> {
    const peer = whereIs()
    if (peer === null) return Promise.reject(new Error('it is not a peer any more'))
    return dialPeer(identity, isDirect ? { ...peer, relays: [] } : peer, limitMs)
  }

  function goOn({ carrier, isRelayed }: Dialled, theirs: number | null): void {
    const type = isKnown ? FRAME.resume : FRAME.begin
    channel.attach(carrier, frameOf(type, channel.received, id), theirs)
    clearTimeout(direct)
    if (isRelayed && whereIs()?.addresses.length !== 0) tryDirect(FIRST_DIRECT_MS)
  }

  /** Leaves the relay as soon as there is a direct way; nothing waits for it meanwhile. */
  function tryDirect(afterMs: number): void {
    direct = setTimeout(() => {
      const next = Math.min(afterMs * 2, LONGEST_DIRECT_MS)
      dial(timeoutMs, true).then(
        (dialled) => {
          if (channel.destroyed) dialled.carrier.destroy()
          else goOn(dialled, null)
        },
        () => {
          if (!channel.destroyed && channel.isAttached) tryDirect(next)
        },
      )
    }, afterMs).unref()
  }

  async function recover(): Promise<void> {
    const until = now() + RESUME_MS
    for (let pauseMs = FIRST_PAUSE_MS; !channel.destroyed; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        const dialled = await dial(Math.min(timeoutMs, Math.max(1, until - now())))
        if (channel.destroyed || channel.isAttached) dialled.carrier.destroy()
        else goOn(dialled, null)
        return
      } catch (error) {
        if (channel.isAttached) return // by the direct way, which was tried already
        if (whereIs() === null || now() + pauseMs >= until) {
          channel.destroy(reset(`the connection was cut, and no way leads there any more: ${String(error)}`))
          return
        }
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }

  channel.on('error', () => {}) // who uses it hears of it too
  channel.once('gone', () =>
    channel.destroy(
      reset(isKnown ? 'the other gateway has ended the connection' : 'the other gateway does not let this one in'),
    ),
  )
  channel.on('detached', () => {
    clearTimeout(direct)
    // who uses it may give it up first; one that the other side may not know begins again: by its id it begins once
    setImmediate(() => void recover())
  })
  channel.once('close', () => clearTimeout(direct))
  goOn(first, 0)
  await welcomed(channel, timeoutMs)
  isKnown = true
  return channel
}

/** Nothing is asked over a channel that the other side has not taken. @throws Error that says why it has not */
async function welcomed(channel: Channel, timeoutMs: number): Promise<void> {
  const late = () => channel.destroy(reset(`no welcome in ${timeoutMs} ms`))
  const timer = setTimeout(late, timeoutMs)
  try {
    await new Promise<void>((resolve, reject) => {
      channel.once('welcome', resolve)
      channel.once('close', () => reject(channel.errored ?? reset('the other gateway has closed the connection')))
    })
  } finally {
    clearTimeout(timer)
  }
}
