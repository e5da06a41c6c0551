/**
 * Frames of a channel: a byte that says which, 6 bytes big endian with a number, and for some a body.
 *
 * | frame | number | body |
 * | --- | --- | --- |
 * | begin, resume | bytes received so far | 16 bytes: which channel |
 * | welcome | bytes received so far | |
 * | gone | 0 | |
 * | data | its length | so many bytes |
 * | end | 0 | |
 * | taken | bytes taken, one more for the end | |
 * | close, ping | 0 | |
 */
export const FRAME = {
  begin: 1,
  resume: 2,
  welcome: 3,
  gone: 4,
  data: 5,
  end: 6,
  taken: 7,
  close: 8,
  ping: 9,
} as const
export type FrameType = (typeof FRAME)[keyof typeof FRAME]
export type Frame = { readonly type: number; readonly number: number; readonly body: Buffer }

/** Of the random id of a channel. */
export const ID_BYTES = 16
export const MOST_DATA_BYTES = 2 ** 16
export const HEADER_BYTES = 7
const NOTHING = Buffer.alloc(0)

/** What the other side says is no frame. */
export class FrameError extends Error {}

export function frameOf(type: FrameType, number = 0, body: Buffer = NOTHING): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES)
  header[0] = type
  header.writeUIntBE(number, 1, 6)
  return body.length === 0 ? header : Buffer.concat([header, body])
}

/** @returns what takes bytes as they come, and gives each whole frame to `onFrame`; it throws FrameError */
export function frameReader(onFrame: (frame: Frame) => void): (chunk: Buffer) => void {
  let waiting: Buffer[] = []
  let waitingBytes = 0
  let wanted = HEADER_BYTES
  return (chunk) => {
    waiting.push(chunk)
    waitingBytes += chunk.length
    if (waitingBytes < wanted) return
    let bytes = waiting.length === 1 ? chunk : Buffer.concat(waiting)
    wanted = HEADER_BYTES
    while (bytes.length >= HEADER_BYTES) {
      const type = bytes[0] ?? 0
      const number = bytes.readUIntBE(1, 6)
      const length = HEADER_BYTES + bodyBytes(type, number)
      if (bytes.length < length) {
        wanted = length
        break
      }
      onFrame({ type, number, body: bytes.subarray(HEADER_BYTES, length) })
      bytes = bytes.subarray(length)
    }
    waiting = bytes.length === 0 ? [] : [bytes]
    waitingBytes = bytes.length
  }
}

/** The whole frames in some bytes. @throws FrameError */
export function framesIn(bytes: Buffer): readonly Frame[] {
  const frames: Frame[] = []
  frameReader((frame) => frames.push(frame))(bytes)
  return frames
}

function bodyBytes(type: number, number: number): number {
  if (type === FRAME.begin || type === FRAME.resume) return ID_BYTES
  if (type < FRAME.begin || type > FRAME.ping) throw new FrameError(`there is no frame ${type}`)
  if (type !== FRAME.data) return 0
  if (number > MOST_DATA_BYTES) throw new FrameError('a frame is too long')
  return number
}
