import { createDecoder, type Decoder, windowBytes } from '../../wire/decoder.ts'

/**
 * What an answer that comes compressed, although that was not asked for, may be unpacked: as much as a request may have
 * by default.
 */
const MAX_BYTES = 32 * 2 ** 20

type Receiver = Parameters<typeof createDecoder>[1]

/**
 * Unpacks an answer, up to 32 MiB; a bomb of ten megabytes holds ten thousand.
 * @param encoding its Content-Encoding
 * @param hold counts what the decoder remembers; what it throws goes to `onError`
 */
export function createUnpacker(encoding: string, hold: (bytes: number) => void, receiver: Receiver): Decoder {
  const window = windowBytes(encoding)
  let bytes = 0
  return createDecoder(encoding, {
    ...receiver,
    onData(chunk) {
      bytes += chunk.length
      try {
        if (bytes > MAX_BYTES) throw new Error('it has more than 32 MiB')
        if (bytes <= window) hold(chunk.length)
      } catch (error) {
        receiver.onError(error instanceof Error ? error : new Error(String(error)))
        return
      }
      receiver.onData(chunk)
    },
  })
}
