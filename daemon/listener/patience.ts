/** So many at once, and so many more with each second. */
type Rate = { readonly burst: number; readonly perSecond: number }

/**
 * Counts what a client should do rarely.
 * @param now monotonic milliseconds
 * @returns `isLeft` counts one more; false once there were too many
 */
export function createPatience({ burst, perSecond }: Rate, now: () => number): { readonly isLeft: () => boolean } {
  let left = burst
  let at = now()
  return {
    isLeft() {
      const time = now()
      left = Math.min(burst, left + ((time - at) / 1_000) * perSecond) - 1
      at = time
      return left >= 0
    },
  }
}
