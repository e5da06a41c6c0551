import type { ClientHttp2Session } from 'node:http2'
import type { Log } from '../../../schemas/words/log.ts'
import { CONTROL_PATH, type ControlMessage, messageReader, ProtocolError, writeMessage } from '../protocol.ts'
import { createHeard } from './heard.ts'

export type Said = Parameters<typeof writeMessage>[0]
export type Refusal = Said & { readonly type: 'error' }

type ControlParts = {
  readonly session: ClientHttp2Session
  readonly nodeId: string
  /** @throws ProtocolError: it does not belong here */
  readonly hear: (message: ControlMessage) => void
  /** What was heard is not the protocol. */
  readonly broken: () => void
  /** The node does not read, or the stream has ended. */
  readonly left: () => void
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly log: Log
}

/** Messages that a node does not read. */
const MOST_UNREAD_BYTES = 2 ** 18

/** Opens the first stream of a tunnel: messages both ways for as long as it lives. */
export function openControl({ session, nodeId, hear, broken, left, now, log }: ControlParts) {
  const stream = session.request(
    { ':method': 'POST', ':path': CONTROL_PATH, ':authority': nodeId },
    { endStream: false },
  )
  const read = messageReader()
  const mayHear = createHeard(now)
  let isOver = false
  stream.on('error', () => {}) // 'close' follows
  stream.once('close', left)
  stream.on('data', (chunk: Buffer) => {
    if (isOver) return
    try {
      if (!mayHear(chunk.length)) throw new ProtocolError('it says too much')
      for (const message of read(chunk)) if (!isOver) hear(message)
    } catch (error) {
      if (error instanceof ProtocolError) {
        broken()
        return
      }
      log('error', 'what a node has said could not be dealt with', { subject: nodeId, error: String(error) })
      left()
    }
  })

  const isOpen = () => !isOver && !stream.closed && !stream.destroyed

  return {
    say(message: Said): void {
      if (stream.writableLength > MOST_UNREAD_BYTES) left()
      else if (isOpen()) stream.write(writeMessage(message))
    },
    /** Says why the tunnel ends, and hears nothing any more. */
    refuse(message: Refusal): void {
      if (isOpen()) stream.end(writeMessage(message))
      isOver = true
    },
  }
}
