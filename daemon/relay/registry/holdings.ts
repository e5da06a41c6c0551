import type { Change, Condition, RecordStore } from './record-store.ts'
import { keyOf, QUARANTINE_MS, readStoredNode, type StoredNode } from './stored.ts'

/** What a node holds after a change, with what commits it. */
export type Holding = {
  /** Names that count for it: those that it owns, and those that it has released and that rest. */
  readonly count: number
  readonly condition: Condition
  readonly change: Change
}

const NOTHING: StoredNode = { hosts: [], resting: [] }

/**
 * The names of a node after one of them was given to it, rests from now on, or is no longer its own. Rests that are over
 * are forgotten on the way.
 */
export function holdingAfter(
  store: RecordStore,
  nodeId: string,
  host: string,
  what: 'given' | 'resting' | 'gone',
  nowMs: number,
): Holding {
  const key = keyOf.node(nodeId)
  const stored = store.get(key)
  const before = readStoredNode(stored?.value) ?? NOTHING
  const hosts = before.hosts.filter((other) => other !== host)
  const resting = before.resting.filter((rest) => rest.host !== host && rest.untilMs > nowMs)
  if (what === 'given') hosts.push(host)
  if (what === 'resting') resting.push({ host, untilMs: nowMs + QUARANTINE_MS })
  const count = hosts.length + resting.length
  return {
    count,
    condition: { key, revision: stored?.revision ?? 0 },
    change: { key, value: count === 0 ? null : JSON.stringify({ hosts, resting }) },
  }
}
