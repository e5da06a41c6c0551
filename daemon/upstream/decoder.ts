import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'

const OPENERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
} as const

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

/** @param encoding a Content-Encoding; one that is not known is an error like a body that is broken, and told later */
export function createDecoder(encoding: string, { onData, onDrain, onEnd, onError }: Receiver): Decoder {
  const stream = open(encoding.trim().toLowerCase())
  stream.on('data', onData)
  stream.on('drain', onDrain)
  stream.on('end', onEnd)
  stream.on('error', onError)
  return {
    write: (chunk) => stream.write(chunk),
    end: () => void stream.end(),
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    destroy: () => void stream.destroy(),
  }
}

function open(encoding: string) {
  if (isKnown(encoding)) return OPENERS[encoding]()
  const none = createGunzip()
  none.destroy(new Error(`content-encoding ${encoding} is not known`))
  return none
}

const isKnown = (encoding: string): encoding is keyof typeof OPENERS => Object.hasOwn(OPENERS, encoding)
