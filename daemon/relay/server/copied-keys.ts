import type { Log } from '../../../schemas/words/log.ts'
import type { Counts } from './metrics.ts'
import type { Tunnel } from './tunnel.ts'

/** A key is called copied for so long after two daemons were last seen with it. */
const REMEMBERED_MS = 3_600_000
/** Keys that are remembered, and instances of each that another one has followed. */
const [MOST_KEYS, MOST_INSTANCES] = [4_096, 8]

type CopiedKeysParts = { readonly counts: Counts; readonly now: () => number; readonly log: Log }

/**
 * Finds keys that two daemons have. Each start of a daemon has an instance of its own, so that one which is followed by
 * another is over: when it comes back, or still answers, there are two.
 */
export function createCopiedKeys({ counts, now, log }: CopiedKeysParts) {
  const followed = new Map<string, readonly string[]>()
  const seenMs = new Map<string, number>()

  const isCopied = (nodeId: string): boolean => now() - (seenMs.get(nodeId) ?? Number.NEGATIVE_INFINITY) < REMEMBERED_MS

  function found({ nodeId, address }: Tunnel): void {
    const isNews = !isCopied(nodeId)
    remember(seenMs, nodeId, now())
    if (!isNews) return
    counts.copiedKeys += 1
    log('error', 'one key is used by two daemons: it was copied; visitors may reach either, so give one a new key', {
      subject: nodeId,
      client: address,
    })
  }

  return {
    isCopied,
    /** A node has come. @param others its tunnels so far */
    came(tunnel: Tunnel, others: readonly Tunnel[]): void {
      const { nodeId, instanceId, address } = tunnel
      const before = followed.get(nodeId) ?? []
      if (before.includes(instanceId)) found(tunnel)
      const elder = others.filter((other) => other.instanceId !== instanceId)
      if (elder.length === 0) return
      const over = new Set([...before, ...elder.map((other) => other.instanceId)].filter((one) => one !== instanceId))
      remember(followed, nodeId, [...over].slice(-MOST_INSTANCES))
      if (elder.some(({ isDraining }) => !isDraining))
        log('warn', 'one key has tunnels of two daemons: it was copied, or one of them has just restarted', {
          subject: nodeId,
          client: address,
        })
    },
    /** A tunnel has answered. @param all of its node */
    answered(tunnel: Tunnel, all: readonly Tunnel[]): void {
      if (tunnel.isDraining) return
      if (all.some((other) => other.instanceId !== tunnel.instanceId && other.sinceMs > tunnel.sinceMs)) found(tunnel)
    },
  }
}

/** The one that was not touched for longest gives way. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  for (const oldest of map.keys()) {
    if (map.size <= MOST_KEYS) break
    map.delete(oldest)
  }
}
