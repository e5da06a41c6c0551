import type { Input } from '../surroundings.ts'

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

/**
 * Lets every key through to the reader of `input`, also those that a terminal keeps for itself, until it is restored:
 * by the caller, or when the process ends, whatever ends it (but for SIGKILL; then `stty sane`).
 * @returns restores it
 */
export function makeRaw(input: Input): () => void {
  const restore = () => {
    input.setRawMode?.(false)
    process.off('exit', restore)
    for (const [signal, handler] of handlers) process.off(signal, handler)
    input.pause()
  }
  const handlers = Object.entries(SIGNALS).map(([signal, number]) => {
    const handler = () => {
      restore()
      process.exit(128 + number)
    }
    return [signal, handler] as const
  })
  for (const [signal, handler] of handlers) process.on(signal, handler)
  process.on('exit', restore)
  input.setRawMode?.(true)
  return restore
}
