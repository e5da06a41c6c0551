import { setTimeout as sleep } from 'node:timers/promises'
import type { Presence, RelayLimits } from './parts.ts'
import type { createPassages } from './passages.ts'
import type { createTunnels } from './tunnels.ts'

type DrainParts = {
  readonly tunnels: Pick<ReturnType<typeof createTunnels>, 'drain' | 'count'>
  readonly passages: Pick<ReturnType<typeof createPassages>, 'drain' | 'count'>
  readonly presence: Presence
  readonly limits: () => RelayLimits
  readonly now: () => number
}

/** What part of `drainMs` visitors may still come, where other relays can serve them from then on. */
const OPEN_SHARE = 1 / 3
const MOST_OPEN_MS = 10_000
const LOOK_EVERY_MS = 50

/** The end of a relay, in two parts that share `drainMs`: it may be reached still, and then it may not. */
export function createDrain({ tunnels, passages, presence, limits, now }: DrainParts) {
  let beganMs: number | null = null

  function begin(): number {
    if (beganMs === null) tunnels.drain()
    beganMs ??= now()
    return beganMs
  }

  return {
    /**
     * Asks nodes to go elsewhere, and waits while names may still point here: a relay that is alone is done at once.
     * @param signal waits no longer
     */
    async release(signal: AbortSignal): Promise<void> {
      const endMs = begin() + Math.min(MOST_OPEN_MS, limits().drainMs * OPEN_SHARE)
      if (presence.peers().length === 0) return
      const isNeeded = () => tunnels.count() > 0 || passages.count() > 0
      while (isNeeded() && now() < endMs && !signal.aborted)
        await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
    },
    /** Waits for visitors, and ends those that are left. */
    async drain(): Promise<void> {
      const leftMs = begin() + limits().drainMs - now()
      await passages.drain(AbortSignal.timeout(Math.max(0, Math.ceil(leftMs))))
    },
  }
}
