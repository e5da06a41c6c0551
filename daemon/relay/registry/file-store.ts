import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf } from '../../../system/error-code.ts'
import { readRecords, writeRecords } from './record-file.ts'
import type { Change, Commit, Condition, RecordStore, Stored } from './record-store.ts'

/** Some 200 bytes each; all are written whenever something changed. */
const MAX_RECORDS = 100_000
/** Between two writes the loop is left alone for some times as long as a write takes of it. */
const RECORDS_PER_MS_OF_REST = 250

/** Changes that go to the disk together. */
type Batch = {
  /** What the keys had before; undefined: nothing. */
  readonly before: Map<string, Stored | undefined>
  /** Resolves with what is in the way; undefined: they are on the disk. */
  readonly written: PromiseWithResolvers<string | undefined>
}

/**
 * The store of a relay that is alone: one JSON file, replaced whole, 0600. What changes while it is being written goes
 * with the next write, and a commit is done when it is on the disk. Leased keys are in memory only.
 * @throws Error that names a file that cannot be read, or is not one of a registry: it is left as it is
 */
export function openFileStore(file: string): RecordStore {
  const { revision: last, records } = readRecords(file)
  let revision = last
  const memory: Map<string, Stored> = records
  const leased = new Set<string>()
  const listeners = new Set<(keys: readonly string[]) => void>()
  let next: Batch | undefined
  let writing: Promise<void> | undefined
  let isWritten = true

  async function commit(conditions: readonly Condition[], changes: readonly Change[]): Promise<Commit> {
    const isMet = ({ key, revision: expected }: Condition) => (memory.get(key)?.revision ?? 0) === expected
    if (!conditions.every(isMet)) return { kind: 'conflict' }
    const stored = changes.filter(({ isLeased }) => isLeased !== true)
    const added = stored.filter(({ key, value }) => value !== null && !memory.has(key)).length
    if (added > 0 && memory.size - leased.size + added > MAX_RECORDS)
      return { kind: 'lost', reason: `${file} has ${MAX_RECORDS} records` }
    if (stored.length > 0) next ??= newBatch()
    const batch = stored.length > 0 ? next : undefined
    revision++
    const done = revision
    for (const { key } of stored) if (batch?.before.has(key) === false) batch.before.set(key, memory.get(key))
    for (const { key, value, isLeased } of changes) {
      if (isLeased === true && value !== null) leased.add(key)
      else leased.delete(key)
      put(key, value === null ? undefined : { key, value, revision })
    }
    tell(changes.map(({ key }) => key))
    if (batch === undefined) return { kind: 'done', revision: done }
    writing ??= write()
    const problem = await batch.written.promise
    return problem === undefined ? { kind: 'done', revision: done } : { kind: 'lost', reason: problem }
  }

  function put(key: string, stored: Stored | undefined): void {
    if (stored === undefined) memory.delete(key)
    else memory.set(key, stored)
  }

  function tell(keys: readonly string[]): void {
    for (const listener of listeners) listener(keys)
  }

  /** Until nothing waits. */
  async function write(): Promise<void> {
    while (next !== undefined) {
      const batch = next
      next = undefined
      try {
        await writeRecords(file, revision, memory, leased)
        isWritten = true
        batch.written.resolve(undefined)
      } catch (error) {
        isWritten = false
        takeBack(batch, `${file} cannot be written (${codeOf(error)})`)
      }
      await sleep(Math.ceil(memory.size / RECORDS_PER_MS_OF_REST))
    }
    writing = undefined
  }

  /** With it goes what came since, which was allowed by what is not on the disk. */
  function takeBack(batch: Batch, problem: string): void {
    const batches = next === undefined ? [batch] : [next, batch]
    next = undefined
    for (const { before } of batches) for (const [key, stored] of before) put(key, stored)
    tell(batches.flatMap(({ before }) => [...before.keys()]))
    for (const { written } of batches) written.resolve(problem)
  }

  return {
    ready: Promise.resolve(),
    isShared: false,
    state: () => (isWritten ? 'live' : 'lost'),
    get: (key) => memory.get(key),
    list: (prefix) => listed(memory, prefix),
    commit,
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: async () => {
      await writing
    },
  }
}

const newBatch = (): Batch => ({ before: new Map(), written: Promise.withResolvers() })

/** Entries below a prefix, sorted by key. */
export function listed(memory: ReadonlyMap<string, Stored>, prefix: string): readonly Stored[] {
  const found = [...memory.values()].filter(({ key }) => key.startsWith(prefix))
  return found.sort((a, b) => (a.key < b.key ? -1 : 1))
}
