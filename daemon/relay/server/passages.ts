import type { End } from './ends.ts'
import type { Counts } from './metrics.ts'
import type { NodeMeter } from './node-meters.ts'
import type { RelayLimits } from './parts.ts'
import { type EndReason, joinEnds, type Passage, waitingIn } from './passage.ts'

type PassagesParts = {
  readonly limits: () => RelayLimits
  readonly counts: Counts
  /** Whether little room is left for what waits; told at each change. */
  readonly onPressure: (isHigh: boolean) => void
  readonly now: () => number
}

/** A visitor whose home is looked for. */
export type Begun = {
  /** Its home is found. @param done called once, after both sides are gone or told to go */
  readonly join: (home: End, done: () => void) => void
  /** There is none; the visitor is left as it is. */
  readonly leave: () => void
}

const LOOK_EVERY_MS = 250
const IDLE_EVERY_MS = 5_000
/** Shares of `bufferedBytes`: from here windows are small, and from there large again; so much is left after shedding. */
const [HIGH, LOW, AFTER_SHEDDING] = [0.5, 0.25, 0.8]

/** All visitors, from the moment that they are accepted; bounds how many there are, and what waits in between. */
export function createPassages({ limits, counts, onPressure, now }: PassagesParts) {
  const all = new Set<Passage>()
  /** Those in which one side is slower than the other, or has no other yet. */
  const held = new Set<Passage>()
  let bufferedBytes = 0
  let isHigh = false
  let emptied: (() => void) | null = null

  /** @param headBytes what was read of it @returns null: there are as many as there may be */
  function begin(visitor: End, meter: NodeMeter, headBytes: number): Begun | null {
    if (all.size >= limits().visitors) return null
    let done = () => {}
    const passage: Passage = { visitor, home: null, meter, lastMs: now(), headBytes, end }
    function leave(): boolean {
      held.delete(passage)
      if (!all.delete(passage)) return false
      meter.visitors -= 1
      if (all.size === 0) emptied?.()
      return true
    }
    function end(reason: EndReason): void {
      if (!leave()) return
      const { home } = passage
      meter.leave(visitor.stream)
      if (home !== null) meter.leave(home.stream)
      counts.ended[reason] += 1
      if (reason !== 'done') {
        visitor.reset()
        home?.reset()
      }
      done()
    }
    meter.visitors += 1
    all.add(passage)
    held.add(passage)
    return {
      join(home, whenDone) {
        done = whenDone
        if (all.has(passage)) {
          counts.visitors += 1
          joinEnds({ passage, home, counts, hold: () => held.add(passage), now })
          return
        }
        home.reset() // it was ended meanwhile
        done()
      },
      leave,
    }
  }

  function look(): void {
    bufferedBytes = 0
    for (const passage of held) {
      const bytes = waitingIn(passage)
      bufferedBytes += bytes
      if (bytes === 0) held.delete(passage)
    }
    const most = limits().bufferedBytes
    if (bufferedBytes > most) shed(most * AFTER_SHEDDING)
    const wasHigh = isHigh
    isHigh = bufferedBytes > most * (isHigh ? LOW : HIGH)
    if (isHigh !== wasHigh) onPressure(isHigh)
  }

  /** Ends visitors of the node that holds most, those first that have taken nothing for longest, until all hold less. */
  function shed(to: number): void {
    const nodes = Map.groupBy(
      [...held].sort((a, b) => a.lastMs - b.lastMs),
      ({ meter }) => meter,
    )
    const loads = [...nodes.values()].map((slowest) => ({ slowest, bytes: slowest.reduce(addWaiting, 0) }))
    while (bufferedBytes > to) {
      const heaviest = loads.reduce((most, load) => (load.bytes > most.bytes ? load : most), NO_LOAD)
      const passage = heaviest.slowest.shift()
      if (passage === undefined) return
      const bytes = waitingIn(passage)
      heaviest.bytes -= bytes
      bufferedBytes -= bytes
      passage.end('shed')
    }
  }

  const looking = setInterval(look, LOOK_EVERY_MS).unref()
  const idling = setInterval(
    () => {
      const before = now() - limits().idleMs
      for (const passage of all) if (passage.lastMs < before) passage.end('idle')
    },
    Math.min(IDLE_EVERY_MS, limits().idleMs / 2),
  ).unref()

  return {
    begin,
    count: () => all.size,
    bufferedBytes: () => bufferedBytes,
    /** Waits until none is left. @param signal gives up: those that are left are ended */
    async drain(signal: AbortSignal): Promise<void> {
      await new Promise<void>((resolve) => {
        emptied = resolve
        if (all.size === 0 || signal.aborted) resolve()
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
      for (const passage of all) passage.end('drained')
    },
    close() {
      clearInterval(looking)
      clearInterval(idling)
      for (const passage of all) passage.end('drained')
    },
  }
}

/** Of one node: its slow visitors, slowest first. */
type Load = { readonly slowest: Passage[]; bytes: number }
const NO_LOAD: Load = { slowest: [], bytes: 0 }

const addWaiting = (bytes: number, passage: Passage): number => bytes + waitingIn(passage)
