import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib'

/**
 * What a zstd frame may ask its reader to remember: 8 MiB, which RFC 8878 tells every reader to have; 128 are the
 * default.
 */
const ZSTD_WINDOW_BITS = 23

const OPENERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_BITS } }),
} as const

const WINDOW_BYTES = { gzip: 2 ** 15, 'x-gzip': 2 ** 15, deflate: 2 ** 15, br: 2 ** 24, zstd: 2 ** ZSTD_WINDOW_BITS }

/** The codings that are unpacked, as an Accept-Encoding says it. */
export const CODINGS = 'gzip, deflate, br, zstd'

/** Unpacks a body. `write` says false when it has enough for now. */
export type Decoder = {
  readonly write: (chunk: Buffer) => boolean
  readonly end: () => void
  readonly pause: () => void
  readonly resume: () => void
  readonly destroy: () => void
}

type Receiver = {
  readonly onData: (chunk: Buffer) => void
  readonly onDrain: () => void
  readonly onEnd: () => void
  readonly onError: (error: Error) => void
}

/** The coding that a Content-Encoding names, be it none; null for several at once, and for one that is not known. */
export function codingOf(encoding: string): keyof typeof OPENERS | 'identity' | null {
  const name = encoding.trim().toLowerCase()
  if (name === '' || name === 'identity') return 'identity'
  return isKnown(name) ? name : null
}

/**
 * @param encoding a Content-Encoding; one that is not known is an error like a body that is broken, and is reported
 * later
 */
export function createDecoder(encoding: string, { onData, onDrain, onEnd, onError }: Receiver): Decoder {
  const coding = encoding.trim().toLowerCase()
  let stream: ReturnType<typeof open> | null = null
  const opened = (start: Buffer) => {
    stream = open(coding, start)
    stream.on('data', onData)
    stream.on('drain', onDrain)
    stream.on('end', onEnd)
    stream.on('error', onError)
    return stream
  }
  return {
    write: (chunk) => (stream ?? opened(chunk)).write(chunk),
    end: () => void (stream ?? opened(NOTHING)).end(),
    pause: () => void stream?.pause(),
    resume: () => void stream?.resume(),
    destroy: () => void stream?.destroy(),
  }
}

const NOTHING = Buffer.alloc(0)

/** Some that say `deflate` leave out the two bytes of zlib around it, which RFC 9110 section 8.4.1.2 knows of. */
function open(encoding: string, start: Buffer) {
  if (encoding === 'deflate' && start.length > 0 && ((start[0] ?? 0) & 0x0f) !== 8) return createInflateRaw()
  if (isKnown(encoding)) return OPENERS[encoding]()
  const none = createGunzip()
  none.destroy(new Error(`content-encoding ${encoding} is not supported`))
  return none
}

/** How much of what it unpacked a decoder remembers. */
export function windowBytes(encoding: string): number {
  const name = encoding.trim().toLowerCase()
  return isKnown(name) ? WINDOW_BYTES[name] : 0
}

const isKnown = (encoding: string): encoding is keyof typeof OPENERS => Object.hasOwn(OPENERS, encoding)
