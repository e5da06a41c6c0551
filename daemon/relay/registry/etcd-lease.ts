import { setTimeout as sleep } from 'node:timers/promises'
import type { EtcdGateway } from './etcd-gateway.ts'
import { answers } from './etcd-messages.ts'
import type { Change } from './record-store.ts'

/** Leased keys outlive a relay that stopped without a word by this. */
const LEASE_S = 10
const KEEP_ALIVE_MS = 2_500
/** Of one commit; etcd takes 128. */
const MOST_CHANGES = 64

/**
 * Keys that are there as long as this process is. What is wanted is kept here, and what etcd may not have of it is
 * written until it has: one commit at a time, so that of two changes of a key the later one holds.
 * @param write all of it, under the lease of that moment, or throws
 */
export function createEtcdLease(
  gateway: Pick<EtcdGateway, 'call'>,
  write: (changes: readonly Change[]) => Promise<unknown>,
) {
  const wanted = new Map<string, string>()
  /** Keys that etcd may have otherwise. */
  const dirty = new Set<string>()
  let turn: Promise<void> = Promise.resolve()
  /** Waits for the one that runs, and takes along all that is wanted by then. */
  let next: Promise<void> | undefined
  let id: string | undefined

  async function settle(): Promise<void> {
    while (dirty.size > 0) {
      const changes = [...dirty].slice(0, MOST_CHANGES).map((key): Change => {
        return { key, value: wanted.get(key) ?? null, isLeased: true }
      })
      const lease = id
      await write(changes)
      if (id !== lease) continue // keys of the lease before go with it
      for (const { key, value } of changes) if ((wanted.get(key) ?? null) === value) dirty.delete(key)
    }
  }

  function settled(): Promise<void> {
    if (next !== undefined) return next
    const begun = turn.then(() => {
      next = undefined
      return settle()
    })
    next = begun
    turn = begun.catch(() => {})
    return begun
  }

  async function take(): Promise<void> {
    id = answers.lease.parse(await gateway.call('lease/grant', { TTL: String(LEASE_S) })).ID
    for (const key of wanted.keys()) dirty.add(key)
    await settled()
  }

  return {
    /** undefined: there is none yet. */
    id: () => id,
    /** Remembers what is to be there; `settled` writes it. */
    want(changes: readonly Change[]): void {
      for (const { key, value } of changes) {
        if (value === null) wanted.delete(key)
        else wanted.set(key, value)
        dirty.add(key)
      }
    },
    /** @throws Error: it is tried again with the next keep-alive */
    settled,
    /** A new one, with everything that is wanted. @throws Error */
    take,
    /** Keeps it until etcd is lost, which it throws. */
    async keep(signal: AbortSignal): Promise<never> {
      for (;;) {
        await sleep(KEEP_ALIVE_MS, undefined, { signal })
        const kept = answers.keepalive.parse(await gateway.call('lease/keepalive', { ID: id }))
        if (kept.result.TTL === 0)
          await take() // it ran out while nothing could be sent
        else await settled()
      }
    },
    async revoke(): Promise<void> {
      if (id !== undefined) await gateway.call('lease/revoke', { ID: id }).catch(() => {})
    },
  }
}
