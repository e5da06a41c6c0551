/** A node says a few hundred bytes when it comes, and asks for little after that. */
const BURST_BYTES = 2 ** 16
const BYTES_PER_SECOND = 2 ** 12
/** What a piece costs at least, however short it is. */
const LEAST_BYTES = 64

/**
 * Bounds what one tunnel may say, of whatever kind: also what is not understood has to be read.
 * @param now monotonic milliseconds @returns counts a piece; false: it was too much
 */
export function createHeard(now: () => number): (bytes: number) => boolean {
  let left = BURST_BYTES
  let atMs = now()
  return (bytes) => {
    const time = now()
    left = Math.min(BURST_BYTES, left + ((time - atMs) / 1_000) * BYTES_PER_SECOND) - Math.max(LEAST_BYTES, bytes)
    atMs = time
    return left >= 0
  }
}
