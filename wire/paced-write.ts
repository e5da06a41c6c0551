import type { Writable } from 'node:stream'

/**
 * Writes, and waits while the reader is slower. To a stream that is gone nothing is written, and that is not an error:
 * a caller that also reads from it learns it there.
 * @param stalledMs a reader that takes nothing for so long is cut off
 */
export function pacedWrite(stream: Writable, text: string, stalledMs: number): Promise<void> {
  if (stream.destroyed || stream.write(text)) return Promise.resolve()
  return new Promise((resolve) => {
    const stalled = setTimeout(() => stream.destroy(), stalledMs)
    const settle = () => {
      clearTimeout(stalled)
      stream.off('drain', settle)
      stream.off('close', settle)
      resolve()
    }
    stream.on('drain', settle)
    stream.on('close', settle)
  })
}
