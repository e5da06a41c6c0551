/**
 * A wall clock that is not led astray when the host's is set: it never goes back, and goes forward at most twice as fast
 * as time passes. What rests for 90 days is not given away because a clock was wrong for a moment.
 * @param wall Unix milliseconds @param monotonic milliseconds
 */
export function steadyClock(wall: () => number, monotonic: () => number): () => number {
  let shownMs = wall()
  let atMs = monotonic()
  return () => {
    const nowMs = monotonic()
    const mostMs = shownMs + 2 * (nowMs - atMs)
    shownMs = Math.min(Math.max(wall(), shownMs), mostMs)
    atMs = nowMs
    return shownMs
  }
}
