import type { Log } from '../../../schemas/words/log.ts'
import { proofRecord } from './claims.ts'
import type { Registry } from './registry.ts'

export type RecheckParts = {
  readonly registry: Pick<Registry, 'names' | 'release'>
  readonly domain: string
  /** @throws Error when the DNS does not answer */
  readonly lookUpTxt: (host: string, signal: AbortSignal) => Promise<readonly string[]>
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** From 0 to 1. */
  readonly random: () => number
  readonly log: Log
}

const DAY_MS = 24 * 3_600_000
/** A host whose record is gone is looked up again after this, and is released when it is gone for so many looks. */
const AGAIN_MS = 3_600_000
const LOOKS = 3
const LOOKUP_DEADLINE_MS = 10_000
/** The first look is within this, so that a relay that is restarted each day looks as well. */
const FIRST_MS = 3_600_000
/** A name server that does not answer holds up no others. */
const AT_ONCE = 8

/**
 * Looks once a day whether the DNS of hosts outside of the domain still names their nodes. A name server that does not
 * answer changes nothing; a record that is gone, or names another node, for three looks ends the claim.
 * @returns looks at what is due
 */
export function recheckHosts({ registry, domain, lookUpTxt, now, random, log }: RecheckParts) {
  const state = new Map<string, { dueMs: number; misses: number }>()

  async function look(host: string, nodeId: string, signal: AbortSignal): Promise<void> {
    const known = state.get(host) ?? { dueMs: now() + random() * FIRST_MS, misses: 0 }
    state.set(host, known)
    if (known.dueMs > now()) return
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(LOOKUP_DEADLINE_MS)])
    const values = await lookUpTxt(proofRecord(host), deadline).catch(() => null)
    if (values === null || values.includes(nodeId)) {
      known.dueMs = now() + (values === null ? AGAIN_MS : DAY_MS)
      if (values !== null) known.misses = 0
      return
    }
    known.misses += 1
    known.dueMs = now() + AGAIN_MS
    if (known.misses < LOOKS) return
    if ((await registry.release(host, nodeId)) !== 'released') return
    state.delete(host)
    log('warn', 'a host is released: its DNS names its node no longer', { domain: host })
  }

  return async (signal: AbortSignal): Promise<void> => {
    const hosts = registry
      .names()
      .filter((name) => name.releasedAtMs === undefined && !name.host.endsWith(`.${domain}`))
    const known = new Set(hosts.map(({ host }) => host))
    for (const host of state.keys()) if (!known.has(host)) state.delete(host)
    const all = hosts.values()
    const lookAtAll = async () => {
      for (const { host, nodeId } of all) if (!signal.aborted) await look(host, nodeId, signal)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, lookAtAll))
  }
}
