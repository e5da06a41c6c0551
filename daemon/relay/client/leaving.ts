import type { Tunnel } from './tunnel.ts'

/** A relay that says again and again that it leaves would have the node hold a tunnel each time. */
const MOST = 4
/** Long answers of models may finish. */
const LONGEST_MS = 600_000

/** Tunnels that are given up by one side, and have visitors that may finish. */
export function createLeaving() {
  const tunnels = new Set<Pick<Tunnel, 'closed' | 'cut'>>()
  return {
    /** Keeps it until it is closed, for ten minutes at most; beyond a few, the oldest is cut. */
    add(tunnel: Pick<Tunnel, 'closed' | 'cut'>): void {
      tunnels.add(tunnel)
      const timer = setTimeout(() => tunnel.cut(), LONGEST_MS).unref()
      void tunnel.closed.then(() => {
        clearTimeout(timer)
        tunnels.delete(tunnel)
      })
      const [oldest] = tunnels
      if (tunnels.size <= MOST || oldest === undefined) return
      tunnels.delete(oldest)
      oldest.cut()
    },
    count: () => tunnels.size,
    cut(): void {
      for (const tunnel of tunnels) tunnel.cut()
    },
  }
}
