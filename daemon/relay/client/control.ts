import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import { CONTROL_PATH, type ControlMessage, messageReader, PROTO, ProtocolError, writeMessage } from '../protocol.ts'

type ControlParts = {
  /** Another one at each start of the daemon. */
  readonly instanceId: string
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/** What a relay says by itself is rare: names that change, and that it leaves. */
const TOLD_AT_ONCE = 64
const TOLD_PER_SECOND = 1
/** Of messages to a relay that leaves its window shut. */
const MOST_UNREAD_BYTES = 2 ** 18

/**
 * The first stream, which the relay opens: messages both ways for as long as the tunnel lives.
 * @param end called with why it is not one
 */
export function openControl(
  session: ServerHttp2Session,
  { instanceId, now }: ControlParts,
  read: (message: ControlMessage) => void,
  end: (reason: string) => void,
) {
  let control: ServerHttp2Stream | null = null

  function send(message: ControlMessage): void {
    if (control === null || control.destroyed || control.closed) return
    if (control.writableLength > MOST_UNREAD_BYTES) end('the relay reads no messages')
    else control.write(writeMessage(message))
  }

  return {
    send,
    /** @returns whether it is the stream of messages */
    accept(stream: ServerHttp2Stream, headers: Readonly<Record<string, unknown>>): boolean {
      if (control !== null || headers[':method'] !== 'POST' || headers[':path'] !== CONTROL_PATH) return false
      control = stream
      const readMessages = messageReader()
      const mayTell = tellLimit(now)
      stream.on('error', () => {})
      stream.once('close', () => session.destroy())
      stream.on('data', (chunk: Buffer) => {
        try {
          for (const message of readMessages(chunk)) {
            if (!mayTell()) throw new ProtocolError('the relay sends too many messages')
            read(message)
          }
        } catch (error) {
          end(error instanceof Error ? error.message : String(error))
        }
      })
      stream.respond({ ':status': 200 })
      send({ type: 'hello', proto: [PROTO], features: [], critical: [], instanceId, names: [], caps: [] })
      return true
    },
  }
}

function tellLimit(now: () => number): () => boolean {
  let [left, atMs] = [TOLD_AT_ONCE, now()]
  return () => {
    left = Math.min(TOLD_AT_ONCE, left + ((now() - atMs) / 1_000) * TOLD_PER_SECOND)
    atMs = now()
    left -= 1
    return left >= 0
  }
}
