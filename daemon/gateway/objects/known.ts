import { fromStore } from '../from-store.ts'
import type { KeyObjects } from './job.ts'

/** What is needed of the storage. Times are Unix milliseconds. @throws Error when it fails */
export type ObjectStore = {
  readonly put: (keyId: string, id: string, upstream: string, at: number) => void
  readonly find: (keyId: string, id: string) => string | null
  /** Whether any key has something of this id. */
  readonly has: (id: string) => boolean
  readonly remove: (keyId: string, id: string) => void
  readonly upstreamsOf: (keyId: string) => readonly string[]
}

const MOST_HEARD = 10_000

const LOST = 'what upstreams keep for this key cannot be looked up'

/** Which upstream keeps what, by the key that made it. @param now Unix milliseconds */
export function createObjects(store: ObjectStore, now: () => number) {
  let heard = new Set<string>()
  return {
    isNews(what: string): boolean {
      if (heard.has(what)) return false
      if (heard.size >= MOST_HEARD) heard = new Set()
      heard.add(what)
      return true
    },
    of: (keyId: string): KeyObjects => ({
      upstreamOf: (id) => fromStore(LOST, () => store.find(keyId, id)),
      isAnothers: (id) => fromStore(LOST, () => store.find(keyId, id) === null && store.has(id)),
      upstreams: () => fromStore(LOST, () => store.upstreamsOf(keyId)),
      bind: (id, upstream) =>
        fromStore(LOST, () => {
          // most answers name what is known already: each look at a thing is one
          if (store.find(keyId, id) !== upstream) store.put(keyId, id, upstream, now())
        }),
      forget: (id) => fromStore(LOST, () => store.remove(keyId, id)),
    }),
  }
}
