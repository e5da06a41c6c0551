import { ceilingOf, type Pot, percentOf, type WindowSources, windowOf } from './pot.ts'

/** Pots of one budget that are shown. */
const MOST_SHOWN = 1_000

const timeText = (ms: number): string => new Date(ms).toISOString()

/** How pots are now, as operators see them: those first that have spent most. */
export function potStates(pots: Iterable<Pot>, atMs: number, sources: WindowSources) {
  const states = Array.from(pots, (pot) => {
    const window = windowOf(pot, atMs, sources)
    const ceiling = ceilingOf(pot, window)
    return {
      subject: pot.subject,
      spent_microdollars: window.spent,
      reserved_microdollars: window.reserved,
      refilled_microdollars: window.refilled,
      left_microdollars: ceiling === null ? null : Math.max(0, ceiling - window.spent - window.reserved),
      percent: Math.round(percentOf(pot, window) * 10) / 10,
      begins: timeText(window.windowStartMs),
      ends: timeText(window.endMs),
    }
  })
  return states.sort((a, b) => b.spent_microdollars - a.spent_microdollars).slice(0, MOST_SHOWN)
}
