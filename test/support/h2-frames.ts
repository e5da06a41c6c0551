/** Types of frames. @see https://www.rfc-editor.org/rfc/rfc9113#section-6 */
export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export const FLAG = { ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const

/** @see https://www.rfc-editor.org/rfc/rfc9113#section-6.5.2 */
export const SETTING = { tableSize: 1, push: 2, streams: 3, window: 4, frameSize: 5, listSize: 6 } as const

/** Error codes by number. @see https://www.rfc-editor.org/rfc/rfc9113#section-7 */
export const CODES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
] as const

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** Length of its payload (24 bits), type, flags, stream (31 bits). */
const HEAD_BYTES = 9

export type Frame = {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

/** @param length what it says of its payload; a lie where it is not the payload's */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.of(),
  length = payload.length,
): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeUIntBE(length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** Takes whole frames off the front of what came. @returns them, and the bytes that are left */
export function takeFrames(bytes: Buffer): { readonly frames: readonly Frame[]; readonly rest: Buffer } {
  const frames: Frame[] = []
  let at = 0
  while (bytes.length - at >= HEAD_BYTES) {
    const end = at + HEAD_BYTES + bytes.readUIntBE(at, 3)
    if (end > bytes.length) break
    frames.push({
      type: bytes.readUInt8(at + 3),
      flags: bytes.readUInt8(at + 4),
      stream: bytes.readUInt32BE(at + 5) & 0x7fffffff,
      payload: bytes.subarray(at + HEAD_BYTES, end),
    })
    at = end
  }
  return { frames, rest: bytes.subarray(at) }
}

export const uint32 = (...values: readonly number[]): Buffer =>
  Buffer.concat(
    values.map((value) => {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(value)
      return bytes
    }),
  )

/** Pairs of an identifier (16 bits) and a value (32 bits). */
export function settings(...pairs: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = pairs.map(([id, value]) => Buffer.concat([Buffer.of(id >> 8, id & 0xff), uint32(value)]))
  return frame(TYPE.settings, 0, 0, Buffer.concat(payload))
}

export const ping = (text: string, flags = 0): Buffer => frame(TYPE.ping, flags, 0, Buffer.from(text.padEnd(8)))
export const reset = (stream: number, code: number): Buffer => frame(TYPE.reset, 0, stream, uint32(code))
export const windowUpdate = (stream: number, by: number): Buffer => frame(TYPE.windowUpdate, 0, stream, uint32(by))
/** @param weight as it is sent, one less than it is */
export const priority = (stream: number, parent: number, weight = 15): Buffer =>
  frame(TYPE.priority, 0, stream, Buffer.concat([uint32(parent), Buffer.of(weight)]))
export const data = (stream: number, text: string, flags: number = FLAG.endStream): Buffer =>
  frame(TYPE.data, flags, stream, Buffer.from(text))

/** @param flags of a whole request without a body unless given */
export const headers = (stream: number, block: Buffer, flags: number = FLAG.endStream | FLAG.endHeaders): Buffer =>
  frame(TYPE.headers, flags, stream, block)
export const continuation = (stream: number, block: Buffer, flags: number = FLAG.endHeaders): Buffer =>
  frame(TYPE.continuation, flags, stream, block)
