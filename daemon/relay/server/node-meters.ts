import type { Duplex } from 'node:stream'
import type { RelayLimits } from './parts.ts'

/** What one node uses, over all its tunnels. */
export type NodeMeter = ReturnType<typeof createMeter>

const DAY_MS = 24 * 3_600_000
/** Nodes that are remembered: their use of a day outlives their tunnels. */
const MOST_NODES = 2 ** 16
/** What part of them is forgotten when there are more: those that have used least today. */
const FORGOTTEN = 1 / 16

/** Of nodes that have a tunnel somewhere. @param now monotonic milliseconds: days are those of this process */
export function createNodeMeters(limits: () => RelayLimits, now: () => number, most = MOST_NODES) {
  const meters = new Map<string, NodeMeter>()

  function forget(): void {
    const idle = [...meters].filter(([, { visitors }]) => visitors === 0)
    const usedLeast = idle.sort(([, a], [, b]) => a.today() - b.today())
    for (const [nodeId] of usedLeast.slice(0, Math.ceil(most * FORGOTTEN))) meters.delete(nodeId)
  }

  return {
    of(nodeId: string): NodeMeter {
      let meter = meters.get(nodeId)
      if (meter === undefined) {
        if (meters.size >= most) forget()
        meter = createMeter(limits, now)
        meters.set(nodeId, meter)
      }
      return meter
    },
  }
}

function createMeter(limits: () => RelayLimits, now: () => number) {
  /** Ends that are not read from until there is room, and whether their other side takes bytes. */
  const waiting = new Map<Duplex, () => boolean>()
  let isComing = false
  let left = limits().bytesPerSecondPerNode
  let atMs = now()
  let [day, bytesOfDay] = [dayOf(atMs), 0]

  function refill(): void {
    const { bytesPerSecondPerNode: perSecond } = limits()
    const time = now()
    left = Math.min(perSecond, left + ((time - atMs) / 1_000) * perSecond)
    atMs = time
  }

  const today = (): number => (day === dayOf(now()) ? bytesOfDay : 0)

  function isUsedUp(): boolean {
    const { dailyBytesPerNode } = limits()
    return dailyBytesPerNode > 0 && today() >= dailyBytesPerNode
  }

  function go(): void {
    isComing = false
    refill()
    if (left <= 0 && limits().bytesPerSecondPerNode > 0) {
      later()
      return
    }
    for (const [end, isReady] of waiting) {
      waiting.delete(end)
      if (isReady()) end.resume()
    }
  }

  function later(): void {
    const { bytesPerSecondPerNode: perSecond } = limits()
    if (isComing) return
    isComing = true
    setTimeout(go, perSecond === 0 ? 0 : Math.min(1_000, 10 + (-left / perSecond) * 1_000)).unref()
  }

  return {
    visitors: 0,
    bytesIn: 0,
    bytesOut: 0,
    /** Bytes of today, as far as they are bounded. */
    today,
    isUsedUp,
    /** Counts bytes that have passed. @returns false: there were too many for now, or for today */
    take(bytes: number): boolean {
      const { bytesPerSecondPerNode, dailyBytesPerNode } = limits()
      if (dailyBytesPerNode > 0) {
        const current = dayOf(now())
        if (current !== day) [day, bytesOfDay] = [current, 0]
        bytesOfDay += bytes
        if (bytesOfDay >= dailyBytesPerNode) return false
      }
      if (bytesPerSecondPerNode === 0) return true
      left -= bytes
      if (left > 0) return true
      refill()
      return left > 0
    },
    /** Reads nothing from an end until there is room again. */
    hold(end: Duplex, isReady: () => boolean): void {
      end.pause()
      waiting.set(end, isReady)
      later()
    },
    isHeld: (end: Duplex) => waiting.has(end),
    leave(end: Duplex): void {
      waiting.delete(end)
    },
  }
}

const dayOf = (ms: number): number => Math.floor(ms / DAY_MS)
