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
/** In place of a key: what is counted is remembered as things of it, the oldest of many are forgotten. */
const COUNTED = 'counted batches'

const LOST = 'what upstreams keep for this key cannot be looked up'

/** Nothing depends on a store that fails here: the usage log takes the same rows once. @returns null then */
function ifThere<T>(ask: () => T): T | null {
  try {
    return ask()
  } catch {
    return null
  }
}

/** Which upstream keeps what, by the key that made it. @param now Unix milliseconds */
export function createObjects(store: ObjectStore, now: () => number) {
  let heard = new Set<string>()
  return {
    isNews(what: string): boolean {
      if (heard.has(what)) return false
      if (heard.size >= MOST_HEARD) heard = new Set()
      heard.add(what)
      return ifThere(() => store.find(COUNTED, what)) === null
    },
    noteCounted: (what: string, upstream: string) => void ifThere(() => store.put(COUNTED, what, upstream, now())),
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
