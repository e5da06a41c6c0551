import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { codeOf } from '../../../system/error-code.ts'
import { replaceFiles } from '../../../system/replace-files.ts'
import type { Change, Commit, Condition, RecordStore, Stored } from './record-store.ts'

/** The whole file: `records` are key, value, revision. */
const content = z.object({
  version: z.literal(1),
  revision: z.int().nonnegative(),
  records: z.array(z.tuple([z.string(), z.string(), z.int().positive()])),
})

/** Some 200 bytes each; all are written at every change. */
const MAX_RECORDS = 100_000

/**
 * The store of a relay that is alone: one JSON file, replaced whole, 0600. Leased keys are in memory only.
 * @throws Error that names a file that cannot be read, or is not one of a registry: it is left as it is
 */
export function openFileStore(file: string): RecordStore {
  const { revision: last, records } = readRecords(file)
  let revision = last
  const memory: Map<string, Stored> = records
  const leased = new Set<string>()
  const listeners = new Set<(keys: readonly string[]) => void>()

  function commit(conditions: readonly Condition[], changes: readonly Change[]): Commit {
    const isMet = ({ key, revision: expected }: Condition) => (memory.get(key)?.revision ?? 0) === expected
    if (!conditions.every(isMet)) return { kind: 'conflict' }
    for (const { key, isLeased } of changes) if (isLeased === true) leased.add(key)
    const before = changes.map(({ key }) => [key, memory.get(key)] as const)
    for (const { key, value } of changes) {
      put(key, value === null ? undefined : { key, value, revision: revision + 1 })
    }
    const problem = changes.some(({ key }) => !leased.has(key)) ? save() : undefined
    if (problem !== undefined) {
      for (const [key, stored] of before) put(key, stored)
      return { kind: 'lost', reason: problem }
    }
    revision++
    for (const { key, value } of changes) if (value === null) leased.delete(key)
    for (const listener of listeners) listener(changes.map(({ key }) => key))
    return { kind: 'done', revision }
  }

  function put(key: string, stored: Stored | undefined): void {
    if (stored === undefined) memory.delete(key)
    else memory.set(key, stored)
  }

  /** @returns what is in the way */
  function save(): string | undefined {
    if (memory.size - leased.size > MAX_RECORDS) return `${file} has ${MAX_RECORDS} records`
    try {
      writeRecords(file, revision + 1, memory, leased)
      return undefined
    } catch (error) {
      return `${file} cannot be written (${codeOf(error)})`
    }
  }

  return {
    ready: Promise.resolve(),
    state: () => 'live',
    get: (key) => memory.get(key),
    list: (prefix) => listed(memory, prefix),
    commit: async (conditions, changes) => commit(conditions, changes),
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: async () => {},
  }
}

/** Entries below a prefix, sorted by key. */
export function listed(memory: ReadonlyMap<string, Stored>, prefix: string): readonly Stored[] {
  const found = [...memory.values()].filter(({ key }) => key.startsWith(prefix))
  return found.sort((a, b) => (a.key < b.key ? -1 : 1))
}

type Records = { readonly revision: number; readonly records: Map<string, Stored> }

/** What a file has; nothing, where it is not there. @throws Error that says what to do */
export function readRecords(file: string): Records {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { revision: 0, records: new Map() }
    throw new Error(`${file}: cannot be read (${codeOf(error)})`, { cause: error })
  }
  const { data, success } = content.safeParse(jsonOf(text))
  if (!success) throw new Error(`${file}: is not a registry of names; restore it from a backup, or move it away`)
  const records = data.records.map(([key, value, revision]): [string, Stored] => [key, { key, value, revision }])
  return { revision: data.revision, records: new Map(records) }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** @param without keys that are not written @throws the system's error */
export function writeRecords(
  file: string,
  revision: number,
  memory: ReadonlyMap<string, Stored>,
  without: ReadonlySet<string>,
): void {
  const kept = [...memory.values()].filter(({ key }) => !without.has(key))
  const records = kept.map(({ key, value, revision: of }) => [key, value, of])
  const text = `${JSON.stringify({ version: 1, revision, records })}\n`
  replaceFiles([{ file, text, mode: 0o600 }], { links: 'follow', stagedSuffix: 'new', parentMode: 0o700 })
}
