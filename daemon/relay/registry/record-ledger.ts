import type { RecordStore } from './record-store.ts'
import type { RecordLedger, WrittenRecord } from './registry.ts'
import { keyOf, readStoredRecords } from './stored.ts'

/** Values that one name may have: two validations at a time. */
const MAX_VALUES = 2
const ATTEMPTS = 5
const ALL = keyOf.records('')

/**
 * The TXT records that relays wrote: stored before they are written, so that one that a stopped relay left is found and
 * removed. All of a name are under one key: two relays cannot both add the last one.
 */
export function recordLedger(store: RecordStore): RecordLedger {
  /** @param change of what is stored of a name; undefined: nothing is changed  @returns what has become of it */
  async function change(
    name: string,
    to: (values: ReadonlyMap<string, number>) => ReadonlyMap<string, number> | undefined,
  ): Promise<'changed' | 'left' | 'unavailable'> {
    const key = keyOf.records(name)
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const stored = store.get(key)
      const values = to(new Map(Object.entries(readStoredRecords(stored?.value) ?? {})))
      if (values === undefined) return 'left'
      const value = values.size === 0 ? null : JSON.stringify(Object.fromEntries(values))
      const { kind } = await store.commit([{ key, revision: stored?.revision ?? 0 }], [{ key, value }])
      if (kind === 'done') return 'changed'
      if (kind === 'lost') return 'unavailable'
    }
    return 'unavailable'
  }

  return {
    async add({ name, value, removeAtMs }) {
      const done = await change(name, (values) => {
        const more = new Map(values).set(value, removeAtMs)
        return more.size > MAX_VALUES ? undefined : more
      })
      if (done === 'left') return 'too-many'
      return done === 'changed' ? 'added' : done
    },
    async remove({ name, value }) {
      const done = await change(name, (values) => {
        const less = new Map(values)
        return less.delete(value) ? less : undefined
      })
      return done === 'unavailable' ? done : 'removed'
    },
    list: () =>
      store
        .list(ALL)
        .flatMap(({ key, value: stored }) =>
          Object.entries(readStoredRecords(stored) ?? {}).map(
            ([value, removeAtMs]): WrittenRecord => ({ name: key.slice(ALL.length), value, removeAtMs }),
          ),
        ),
  }
}
