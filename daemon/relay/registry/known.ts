import { createOwners } from './owners.ts'
import type { RecordStore } from './record-store.ts'
import type { NameRecord, RelayRecord, Route } from './registry.ts'
import { createRoutes } from './routes.ts'
import { keyOf, readStoredName, readStoredRelay, type StoredName } from './stored.ts'

/** What is asked for every visitor, kept ready from the store's changes. */
export type Known = {
  ownerOf(host: string): string | null
  routesOf(nodeId: string, nowMs: number): readonly Route[]
  relays(): readonly RelayRecord[]
  names(): readonly NameRecord[]
  /** Until when a host rests for all nodes but one, by what this relay has seen. */
  restOf(host: string): { readonly nodeId: string; readonly untilMs: number } | undefined
  /** Looks again at what time decides. */
  age(): void
  /** Of all times that are stored, the last one; it decides nothing, since it may be wrong itself. */
  newestMs(): number
}

type KnownParts = {
  /** Of the relays, lower case. */
  readonly domain: string
  /** Unix milliseconds of this host alone. */
  readonly clock: () => number
  /** The names of a node have changed, by whichever relay. */
  readonly named: (nodeId: string) => void
  /** Once of each relay that has announced a tunnel that its node did not sign. */
  readonly forged: (relayId: string, nodeId: string) => void
  /** Of a name whose new owner is not believed. */
  readonly refused: (host: string, nodeId: string) => void
}

/** Follows a store. */
export function followStore(store: RecordStore, parts: KnownParts): Known {
  const { domain, clock, named, forged, refused } = parts
  const owners = createOwners({ domain, isShared: store.isShared, clock, refused })
  const routes = createRoutes(forged)
  const relays = new Map<string, RelayRecord>()
  let newestMs = 0

  function take(key: string): void {
    const stored = store.get(key)
    const [kind, first = '', second = '', third = ''] = key.split('/')
    if (kind === 'name') takeName(first, readStoredName(stored?.value))
    else if (kind === 'relay') {
      const found = readStoredRelay(stored?.value)
      if (found === undefined) relays.delete(first)
      else relays.set(first, { id: first, ...found })
    } else if (kind === 'route') {
      routes.take(first, second, third, stored?.value, stored?.revision ?? 0)
    }
  }

  function takeName(host: string, found: StoredName | undefined): void {
    owners.take(host, found)
    if (found !== undefined) newestMs = Math.max(newestMs, found.claimedAtMs, found.releasedAtMs ?? 0)
  }

  for (const { key } of store.list('')) take(key)
  store.onChange((keys) => {
    for (const key of keys) take(key)
    for (const key of keys) if (key.startsWith(keyOf.node(''))) named(key.slice(keyOf.node('').length))
  })

  return {
    ownerOf: owners.of,
    restOf: owners.restOf,
    age() {
      for (const host of owners.due()) takeName(host, readStoredName(store.get(keyOf.name(host))?.value))
    },
    routesOf: routes.of,
    relays: () => [...relays.values()],
    names: owners.records,
    newestMs: () => newestMs,
  }
}
