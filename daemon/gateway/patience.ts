import type { Outlet } from './outlet.ts'

/**
 * Calls back once everything that was written is taken. One that takes nothing for `stallTimeoutMs` is cut off, and is
 * not waited for any more; null: it is not hurried.
 */
export function whenDrained(outlet: Outlet, stallTimeoutMs: number | null, resume: () => void): void {
  const stalled = stallTimeoutMs === null ? undefined : setTimeout(() => outlet.destroy(), stallTimeoutMs)
  const done = () => {
    clearTimeout(stalled)
    outlet.off('drain', drained)
    outlet.off('close', done)
  }
  const drained = () => {
    done()
    resume()
  }
  outlet.once('drain', drained)
  outlet.once('close', done)
}

/** Cuts off one that does not take the last bytes of its answer in time. */
export function expectClose(outlet: Outlet, stallTimeoutMs: number): void {
  if (outlet.writableLength === 0) return
  const stalled = setTimeout(() => outlet.destroy(), stallTimeoutMs)
  outlet.once('close', () => clearTimeout(stalled))
}
