/** Full jitter: any time up to a bound that doubles, so that a thousand nodes do not come back at once. */
const FIRST_MS = 500
const LONGEST_MS = 30_000

/**
 * How long to wait before the next attempt.
 * @param failures in a row, at least 1 @param random 0 to 1
 */
export function reconnectAfterMs(failures: number, random: number): number {
  return Math.floor(random * Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 16)))
}
