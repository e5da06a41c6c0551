import { z } from 'zod'
import type { RecordStore } from './record-store.ts'
import type { NameRecord, RelayRecord, Route } from './registry.ts'
import { createRoutes } from './routes.ts'

/** What is stored of a name; `signature` and `exporter` are for an audit. */
const name = z.object({
  nodeId: z.string(),
  claimedAtMs: z.number(),
  releasedAtMs: z.number().optional(),
  signature: z.string(),
  exporter: z.string(),
  movedFrom: z.string().optional(),
})
/** `resting`: what it has released and still counts for it. */
const node = z.object({
  hosts: z.array(z.string()),
  resting: z.array(z.object({ host: z.string(), untilMs: z.number() })).default([]),
})
const invite = z.object({ left: z.int(), expiresAtMs: z.number(), note: z.string() })
const relay = z.object({ address: z.string() })

export type StoredNode = z.infer<typeof node>
export type StoredName = z.infer<typeof name>
export type StoredInvite = z.infer<typeof invite>

/** Keys of the store. */
export const keyOf = {
  name: (host: string) => `name/${host}`,
  node: (nodeId: string) => `node/${nodeId}`,
  invite: (hash: string) => `invite/${hash}`,
  relay: (id: string) => `relay/${id}`,
  route: (nodeId: string, relayId: string, tunnel: string) => `route/${nodeId}/${relayId}/${tunnel}`,
  record: (host: string, value: string) => `txt/${host}/${value}`,
}

/** A stored value, read; undefined for what another version, or another program, left there. */
function read<T>(schema: z.ZodType<T>, value: string | undefined): T | undefined {
  if (value === undefined) return undefined
  try {
    return schema.safeParse(JSON.parse(value)).data
  } catch {
    return undefined
  }
}

export const readStoredName = (value: string | undefined) => read(name, value)
export const readStoredNode = (value: string | undefined) => read(node, value)
export const readStoredInvite = (value: string | undefined) => read(invite, value)

/** What is asked for every visitor, kept ready from the store's changes. */
export type Known = {
  ownerOf(host: string): string | null
  routesOf(nodeId: string, nowMs: number): readonly Route[]
  relays(): readonly RelayRecord[]
  names(): readonly NameRecord[]
  /** Of all times that are stored, the last one: a clock that is before it is wrong. */
  newestMs(): number
}

type Told = {
  /** The names of a node have changed, by whichever relay. */
  readonly named: (nodeId: string) => void
  /** Once of each relay that has announced a tunnel that its node did not sign. */
  readonly forged: (relayId: string, nodeId: string) => void
}

/** Follows a store. */
export function followStore(store: RecordStore, { named, forged }: Told): Known {
  const names = new Map<string, NameRecord>()
  const routes = createRoutes(forged)
  const relays = new Map<string, RelayRecord>()
  let newestMs = 0

  function take(key: string): void {
    const stored = store.get(key)
    const [kind, first = '', second = '', third = ''] = key.split('/')
    if (kind === 'name') takeName(first, readStoredName(stored?.value))
    else if (kind === 'relay') {
      const found = read(relay, stored?.value)
      if (found === undefined) relays.delete(first)
      else relays.set(first, { id: first, ...found })
    } else if (kind === 'route') {
      routes.take(first, second, third, stored?.value, stored?.revision ?? 0)
    }
  }

  function takeName(host: string, found: StoredName | undefined): void {
    if (found === undefined) return void names.delete(host)
    const { nodeId, claimedAtMs, releasedAtMs } = found
    names.set(host, { host, nodeId, claimedAtMs, releasedAtMs })
    newestMs = Math.max(newestMs, claimedAtMs, releasedAtMs ?? 0)
  }

  for (const { key } of store.list('')) take(key)
  store.onChange((keys) => {
    for (const key of keys) take(key)
    for (const key of keys) if (key.startsWith(keyOf.node(''))) named(key.slice(keyOf.node('').length))
  })

  return {
    ownerOf: (host) => {
      const record = names.get(host)
      return record === undefined || record.releasedAtMs !== undefined ? null : record.nodeId
    },
    routesOf: routes.of,
    relays: () => [...relays.values()],
    names: () => [...names.values()],
    newestMs: () => newestMs,
  }
}
