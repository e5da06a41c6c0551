import { expect, test } from 'vitest'
import { createOwners } from '../../../../../daemon/relay/registry/owners.ts'
import type { StoredName } from '../../../../../daemon/relay/registry/stored.ts'
import { type NodeKeys, nodeKeys } from '../../../../support/node-keys.ts'

const DOMAIN = 'gate.test'
const HOST = `myserver.${DOMAIN}`
const DAY_MS = 24 * 3_600_000
const [owner, thief] = [nodeKeys(), nodeKeys()]

function known(isShared = true) {
  const clock = { nowMs: Date.parse('2026-06-01T00:00:00Z') }
  const refused: string[] = []
  const owners = createOwners({
    domain: DOMAIN,
    isShared,
    clock: () => clock.nowMs,
    refused: (_, nodeId) => refused.push(nodeId),
  })
  /** As it is stored. */
  const record = (node: NodeKeys, more: Partial<StoredName> = {}, name = 'myserver'): StoredName => {
    const { nodeId, key, signature, exporter } = node.claim(name)
    return { nodeId, claimedAtMs: clock.nowMs, name, key, signature, exporter, ...more }
  }
  return { ...owners, clock, refused, record }
}

test.each<{ what: string; more: Partial<StoredName> }>([
  { what: 'the signature of another node', more: { signature: thief.claim('myserver').signature } },
  { what: 'the key of another node', more: { key: thief.key } },
  { what: 'a signature for another name', more: { ...owner.claim('other') } },
  { what: 'no signature', more: { key: '', signature: '', exporter: '' } },
  { what: 'a name that leads elsewhere', more: { name: 'other' } },
  { what: 'a name that is none', more: { name: '' } },
])('a record with $what leads nowhere', ({ more }) => {
  const { take, of, record } = known()
  take(HOST, record(owner, more))
  expect(of(HOST)).toBeNull()
})

test.each<{ what: string; after: (StoredName | undefined)[] }>([
  { what: 'replaced', after: [] },
  { what: 'removed', after: [undefined] },
])('a record that leads nowhere and is $what keeps its name from no node', ({ after }) => {
  const { take, of, restOf, record, refused } = known()
  take(HOST, record(thief, { signature: owner.claim('myserver').signature }))
  for (const found of after) take(HOST, found)
  expect(restOf(HOST)).toBeUndefined()
  take(HOST, record(owner))
  expect(of(HOST)).toBe(owner.id)
  expect(refused).toEqual([])
})

test.each<{ what: string; more: Partial<StoredName>; name?: string }>([
  { what: 'the signature of its node', more: {} },
  { what: 'a signature for the whole host name', more: {}, name: `MyServer.${DOMAIN}.` },
  { what: 'the word of an operator', more: { key: '', signature: '', exporter: '', isByOperator: true } },
])('a record with $what leads to its node', ({ more, name }) => {
  const { take, of, record } = known()
  take(HOST, record(owner, more, name))
  expect(of(HOST)).toBe(owner.id)
})

test('a name in use goes to another node with the signature of the first alone', () => {
  const { take, of, record, refused } = known()
  take(HOST, record(owner))
  for (const more of [
    {},
    { isByOperator: true },
    { claimedAtMs: Date.parse('2030-01-01') },
    { previous: { key: owner.key, signature: owner.claim('myserver').signature } },
    { previous: { key: thief.key, signature: thief.claim('myserver').signature } },
  ])
    take(HOST, record(thief, more))
  take(HOST, record(owner, { signature: thief.claim('myserver').signature }))
  expect(of(HOST)).toBe(owner.id)
  expect(refused).toEqual([thief.id, owner.id])
  const { previous } = thief.move('myserver', owner)
  take(HOST, record(thief, previous && { previous }))
  expect(of(HOST)).toBe(thief.id)
})

test.each([
  { how: 'released', gone: (record: StoredName, nowMs: number) => ({ ...record, releasedAtMs: nowMs }) },
  { how: 'released, as is said, long ago', gone: (record: StoredName) => ({ ...record, releasedAtMs: 1 }) },
  { how: 'removed', gone: () => undefined },
])('a name that was $how rests, whatever is stored, and is then believed to be of another', ({ gone }) => {
  const { take, of, restOf, due, clock, record } = known()
  const first = record(owner)
  take(HOST, first)
  take(HOST, gone(first, clock.nowMs))
  const stored = record(thief)
  take(HOST, stored)
  expect(of(HOST)).toBeNull()
  expect(restOf(HOST)?.nodeId).toBe(owner.id)
  clock.nowMs += 87 * DAY_MS
  for (const host of due()) take(host, stored)
  expect(of(HOST)).toBeNull()
  clock.nowMs += 2 * DAY_MS
  for (const host of due()) take(host, stored)
  expect(of(HOST)).toBe(thief.id)
  expect(due()).toEqual([])
})

test('a node takes its own name back out of its rest, and a name that is forgotten is', () => {
  const { take, of, due, records, clock, record } = known()
  take(HOST, record(owner, { releasedAtMs: clock.nowMs }))
  take(HOST, record(owner))
  expect(of(HOST)).toBe(owner.id)
  take(HOST, undefined)
  expect(records()).toHaveLength(1)
  clock.nowMs += 90 * DAY_MS
  for (const host of due()) take(host, undefined)
  expect(records()).toEqual([])
})

test('a host elsewhere belongs to whom its DNS names, and a store of its own is as the relay left it', () => {
  const elsewhere = known()
  for (const node of [owner, thief]) elsewhere.take('ai.example.net', elsewhere.record(node, {}, 'ai.example.net'))
  expect(elsewhere.of('ai.example.net')).toBe(thief.id)
  const alone = known(false)
  for (const node of [owner, thief]) alone.take(HOST, alone.record(node))
  expect(alone.of(HOST)).toBe(thief.id)
})
