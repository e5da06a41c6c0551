import type { RecordStore } from './record-store.ts'
import type { RecordLedger, WrittenRecord } from './registry.ts'
import { keyOf } from './stored.ts'

/** Values that one name may have: two validations at a time. */
const MAX_VALUES = 2
const ATTEMPTS = 5

/**
 * The TXT records that relays wrote: stored before they are written, so that one that a stopped relay left is found and
 * removed.
 */
export function recordLedger(store: RecordStore): RecordLedger {
  const valuesOf = (name: string) => store.list(keyOf.record(name, ''))
  return {
    async add({ name, value, removeAtMs }) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const key = keyOf.record(name, value)
        const held = valuesOf(name)
        if (held.length >= MAX_VALUES && !held.some((stored) => stored.key === key)) return 'too-many'
        // a count of its own, so that two relays do not both add the last one
        const counter = `txts/${name}`
        const conditions = [{ key: counter, revision: store.get(counter)?.revision ?? 0 }]
        const changes = [
          { key, value: String(removeAtMs) },
          { key: counter, value: String(removeAtMs) },
        ]
        const { kind } = await store.commit(conditions, changes)
        if (kind === 'done') return 'added'
        if (kind === 'lost') return 'unavailable'
      }
      return 'unavailable'
    },
    async remove({ name, value }) {
      const key = keyOf.record(name, value)
      const isLast = valuesOf(name).every((stored) => stored.key === key)
      const changes = [{ key, value: null }, ...(isLast ? [{ key: `txts/${name}`, value: null }] : [])]
      return (await store.commit([], changes)).kind === 'done' ? 'removed' : 'unavailable'
    },
    list: () =>
      store.list('txt/').map(({ key, value }): WrittenRecord => {
        const [, name = '', text = ''] = key.split('/')
        return { name, value: text, removeAtMs: Number(value) || 0 }
      }),
  }
}
