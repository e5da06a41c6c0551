import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../../schemas/words/log.ts'
import type { EtcdGateway } from './etcd-gateway.ts'
import { createEtcdLease } from './etcd-lease.ts'
import { answers, decoded, type EtcdKv, encoded, rangeEnd, transaction } from './etcd-messages.ts'
import { listed } from './file-store.ts'
import { createMemory, type Seen } from './memory.ts'
import { openRecordCopy } from './record-copy.ts'
import type { Change, Commit, Condition, RecordStore } from './record-store.ts'

export type EtcdStoreParts = {
  readonly gateway: EtcdGateway
  /** All keys begin with it, such as `/gate-relay/gate.example.org/`. */
  readonly prefix: string
  /** What was last known, for a start without the store; 0600. */
  readonly cacheFile: string
  readonly log: Log
  /** From 0 to 1. */
  readonly random: () => number
}

const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 5_000
const PAGE = 2_000

/**
 * A store in etcd, by its JSON gateway: everything below a prefix is in memory, kept current by a watch. When etcd is
 * lost, what is known stays as it is and nothing can be written; leased keys of this relay are written again afterwards.
 */
export function openEtcdStore({ gateway, prefix, cacheFile, log, random }: EtcdStoreParts): RecordStore {
  const memory = createMemory()
  const listeners = new Set<(keys: readonly string[]) => void>()
  const lease = createEtcdLease(gateway, (changes) => write([], changes))
  const closing = new AbortController()
  const first = Promise.withResolvers<void>()
  let state: 'live' | 'lost' = 'lost'
  const copy = openRecordCopy(cacheFile, memory, log)
  const running = run()

  const seenOf = ({ key, value, mod_revision: revision, lease: of }: EtcdKv): Seen => {
    return { key: decoded(key).slice(prefix.length), value: decoded(value), revision, isLeased: of !== '0' }
  }

  function tell(keys: readonly string[]): void {
    if (keys.length === 0) return
    copy.touch()
    for (const listener of listeners) listener(keys)
  }

  async function run(): Promise<void> {
    for (let waitMs = FIRST_WAIT_MS; !closing.signal.aborted; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      try {
        await synchronize()
        state = 'live'
        waitMs = FIRST_WAIT_MS
        log('info', 'registry reached', { count: memory.stored.size })
        first.resolve()
        await followUntilLost()
      } catch (error) {
        if (closing.signal.aborted) break
        const reason = error instanceof Error ? error.message : String(error)
        if (state === 'live' || waitMs === FIRST_WAIT_MS) log('warn', 'registry lost', { error: reason })
      }
      state = 'lost'
      first.resolve()
      await sleep(waitMs * (0.5 + random() / 2), undefined, { signal: closing.signal }).catch(() => {})
    }
    first.resolve()
  }

  /** Reads everything, and writes what is this relay's under a new lease. */
  async function synchronize(): Promise<void> {
    const { all, revision } = await readAll()
    warnOfLoss(all.length)
    tell(memory.replaced(all, revision))
    void copy.save()
    await lease.take()
  }

  async function readAll(): Promise<{ all: readonly Seen[]; revision: number }> {
    const all: Seen[] = []
    let revision = 0
    let from = encoded(prefix)
    for (;;) {
      const at = revision === 0 ? {} : { revision: String(revision) }
      const body = { key: from, range_end: rangeEnd(prefix), limit: String(PAGE), ...at }
      const page = answers.range.parse(await gateway.call('kv/range', body))
      if (revision === 0) revision = page.header.revision
      all.push(...page.kvs.map(seenOf))
      const last = page.kvs.at(-1)
      if (!page.more || last === undefined) return { all, revision }
      from = Buffer.concat([Buffer.from(last.key, 'base64'), Buffer.of(0)]).toString('base64')
    }
  }

  function warnOfLoss(count: number): void {
    const before = memory.stored.size - memory.leased.size
    if (before >= 10 && count < before / 2)
      log('error', 'the registry has lost more than half of its records', { count })
  }

  /** Watches and keeps the lease; throws when either is lost. */
  async function followUntilLost(): Promise<void> {
    const ended = new AbortController()
    const signal = AbortSignal.any([ended.signal, closing.signal])
    const watch = {
      create_request: {
        key: encoded(prefix),
        range_end: rangeEnd(prefix),
        start_revision: String(memory.revision() + 1),
      },
    }
    const watching = gateway.follow('watch', watch, onEvent, signal).then(() => {
      throw new Error('the watch ended')
    })
    try {
      await Promise.race([watching, lease.keep(signal)])
    } finally {
      ended.abort()
      await watching.catch(() => {})
    }
  }

  function onEvent(answer: unknown): void {
    const { header, canceled, compact_revision, events } = answers.watch.parse(answer).result
    if (canceled) throw new Error(compact_revision > 0 ? 'the watch fell behind' : 'the watch was cancelled')
    const all = events.map(({ type, kv }) => (type === 'PUT' ? seenOf(kv) : { ...seenOf(kv), value: null }))
    tell(memory.watched(all, header.revision))
  }

  async function write(conditions: readonly Condition[], changes: readonly Change[]): Promise<Commit> {
    const body = transaction(prefix, conditions, changes, lease.id())
    const { header, succeeded, responses } = answers.txn.parse(await gateway.call('kv/txn', body))
    const { revision } = header
    if (succeeded) {
      const seen = changes.map(({ key, value, isLeased }) => ({ key, value, revision, isLeased: isLeased === true }))
      tell(memory.seen(seen, revision))
      return { kind: 'done', revision }
    }
    const found = responses.flatMap(({ response_range }) => response_range?.kvs.map(seenOf) ?? [])
    const absent = conditions.filter(({ key }) => !found.some((one) => one.key === key))
    const gone = absent.map(({ key }) => ({ key, value: null, revision, isLeased: false }))
    tell(memory.seen([...found, ...gone], revision))
    return { kind: 'conflict' }
  }

  return {
    ready: first.promise,
    isShared: true,
    state: () => state,
    get: (key) => memory.stored.get(key),
    list: (start) => listed(memory.stored, start),
    async commit(conditions, changes) {
      const isLeased = changes.every((change) => change.isLeased === true)
      if (isLeased) lease.want(changes)
      if (state === 'lost') return { kind: 'lost', reason: 'etcd is not reached' }
      try {
        if (!isLeased) return await write(conditions, changes)
        await lease.settled()
        return { kind: 'done', revision: Math.max(...changes.map(({ key }) => memory.stored.get(key)?.revision ?? 0)) }
      } catch (error) {
        return { kind: 'lost', reason: error instanceof Error ? error.message : String(error) }
      }
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async close() {
      closing.abort()
      await running
      await copy.save()
      if (state === 'live') await lease.revoke()
      gateway.close()
    },
  }
}
