import type { Stored } from './record-store.ts'

/** What a key is at a revision of the whole store; null: not there. */
export type Seen = {
  readonly key: string
  readonly value: string | null
  readonly revision: number
  readonly isLeased: boolean
}

/**
 * A copy of a store that is told changes by two ways, its own commits and a watch that comes later: of two tellings about
 * a key, the one of the higher revision holds.
 */
export function createMemory() {
  const stored = new Map<string, Stored>()
  const leased = new Set<string>()
  /** Keys that are ahead of the watch, with the revision that they were seen at. */
  const ahead = new Map<string, number>()
  let watched = 0
  let changes = 0

  function put({ key, value, revision, isLeased }: Seen): void {
    if (value === null ? !leased.has(key) : !isLeased) changes += 1
    if (value === null) stored.delete(key)
    else stored.set(key, { key, value, revision })
    if (value !== null && isLeased) leased.add(key)
    else leased.delete(key)
  }

  return {
    stored,
    leased,
    /** The last revision that the watch, or a whole reading, told. */
    revision: () => watched,
    /** Grows whenever a key that is not leased may have changed. */
    changes: () => changes,
    /** Told by a commit or a reading of single keys. @returns keys that changed */
    seen(all: readonly Seen[], revision: number): readonly string[] {
      const news = all.filter(({ key }) => revision > watched && revision >= (ahead.get(key) ?? 0))
      for (const one of news) {
        put(one)
        ahead.set(one.key, revision)
      }
      return news.map(({ key }) => key)
    },
    /** Told by the watch, in order. @returns keys that changed */
    watched(all: readonly Seen[], revision: number): readonly string[] {
      const news = all.filter((one) => one.revision > (ahead.get(one.key) ?? 0))
      for (const one of news) put(one)
      watched = Math.max(watched, revision)
      for (const [key, at] of ahead) if (at <= watched) ahead.delete(key)
      return news.map(({ key }) => key)
    },
    /** Everything there is, at one revision. @returns keys that changed */
    replaced(all: readonly Seen[], revision: number): readonly string[] {
      const before = new Map(stored)
      changes += 1 // some may be gone
      stored.clear()
      leased.clear()
      ahead.clear()
      for (const one of all) put(one)
      watched = revision
      const isOther = ({ key, revision: at }: Stored) => before.get(key)?.revision !== at
      const gone = [...before.keys()].filter((key) => !stored.has(key))
      return [...[...stored.values()].filter(isOther).map(({ key }) => key), ...gone]
    },
    /** Of an earlier run, until the store answers. */
    restore(records: ReadonlyMap<string, Stored>): void {
      for (const [key, record] of records) stored.set(key, record)
    },
  }
}
