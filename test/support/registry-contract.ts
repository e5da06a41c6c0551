import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import type { ClaimRules } from '../../daemon/relay/registry/claims.ts'
import { openRegistry } from '../../daemon/relay/registry/open-registry.ts'
import type { RecordStore } from '../../daemon/relay/registry/record-store.ts'
import type { Claim, Registry } from '../../daemon/relay/registry/registry.ts'
import { BEGIN_MS, type NodeKeys, nodeKeys } from './node-keys.ts'

export const DOMAIN = 'gate.example.org'
const keys = new Map<string, NodeKeys>()

/** A node that `claimOf` can sign for. @returns its id */
export function newNode(): string {
  const made = nodeKeys()
  keys.set(made.id, made)
  return made.id
}

export const NODE_A = newNode()
export const NODE_B = newNode()
const DAY_MS = 24 * 3_600_000

export type TestRegistry = {
  readonly registry: Registry
  readonly clock: { nowMs: number }
  /** TXT records by name. */
  readonly txt: Map<string, readonly string[]>
  /** Messages. */
  readonly logged: readonly string[]
}

/** A registry over a store, with a clock and a DNS that are set. */
export function testRegistry(
  store: RecordStore,
  rules: Partial<ClaimRules> = {},
  clock = { nowMs: BEGIN_MS },
): TestRegistry {
  const txt = new Map<string, readonly string[]>()
  const logged: string[] = []
  const registry = openRegistry({
    store,
    rules: () => ({ domain: DOMAIN, namesPerNode: 3, wantsInvite: false, ...rules }),
    lookUpTxt: async (host) => txt.get(host) ?? [],
    now: () => clock.nowMs,
    random: randomBytes,
    log: (_level, message) => void logged.push(message),
  })
  return { registry, clock, txt, logged }
}

const keysOf = (nodeId: string): NodeKeys => keys.get(nodeId) ?? expect.unreachable('a node of newNode')

export const claimOf = (nodeId: string, name: string, more: Partial<Claim> = {}): Claim =>
  keysOf(nodeId).claim(name, more)
const moveOf = (nodeId: string, name: string, from: string): Claim => keysOf(nodeId).move(name, keysOf(from))

/** What every store of a registry must do. @param open a store of its own, empty */
export function registryContract(open: () => Promise<RecordStore>): void {
  test('a label is given to the first node, and found again', async () => {
    const { registry } = testRegistry(await open())
    expect(await registry.claim(claimOf(NODE_A, 'myserver'))).toEqual({ kind: 'claimed' })
    expect(await registry.claim(claimOf(NODE_A, `MyServer.${DOMAIN}.`))).toEqual({ kind: 'claimed' })
    expect(await registry.claim(claimOf(NODE_B, 'myserver'))).toEqual({ kind: 'taken' })
    expect(registry.ownerOf(`myserver.${DOMAIN}`)).toBe(NODE_A)
    expect(registry.ownerOf(`other.${DOMAIN}`)).toBeNull()
    expect(registry.namesOf(NODE_A)).toEqual([`myserver.${DOMAIN}`])
    await registry.close()
  })

  test('a key-derived name belongs to its key without a record, and is not given', async () => {
    const { registry } = testRegistry(await open())
    expect(registry.ownerOf(`${NODE_A}.${DOMAIN}`)).toBe(NODE_A)
    expect(registry.ownerOf(`${NODE_A}.example.net`)).toBeNull()
    expect(registry.ownerOf(`x.${NODE_A}.${DOMAIN}`)).toBeNull()
    expect(await registry.claim(claimOf(NODE_B, NODE_A))).toMatchObject({ kind: 'invalid' })
    await registry.close()
  })

  test('a node owns three names at most', async () => {
    const { registry } = testRegistry(await open())
    for (const name of ['one', 'two', 'three']) {
      expect(await registry.claim(claimOf(NODE_A, name))).toEqual({ kind: 'claimed' })
    }
    expect(await registry.claim(claimOf(NODE_A, 'four'))).toEqual({ kind: 'too-many', most: 3 })
    expect(await registry.claim(claimOf(NODE_A, 'four', { isByOperator: true }))).toEqual({ kind: 'claimed' })
    await registry.close()
  })

  test('a name that a node has released counts for it until its rest is over', async () => {
    const { registry, clock } = testRegistry(await open())
    for (const name of ['one', 'two', 'three']) {
      expect(await registry.claim(claimOf(NODE_A, name))).toEqual({ kind: 'claimed' })
      expect(await registry.release(name, NODE_A)).toBe('released')
    }
    expect(registry.namesOf(NODE_A)).toEqual([])
    expect(await registry.claim(claimOf(NODE_A, 'four'))).toEqual({ kind: 'too-many', most: 3 })
    expect(await registry.claim(claimOf(NODE_A, 'two'))).toEqual({ kind: 'claimed' })
    clock.nowMs += 90 * DAY_MS
    expect(await registry.claim(claimOf(NODE_A, 'four'))).toEqual({ kind: 'claimed' })
    await registry.close()
  })

  test('a name whose rest is over is forgotten, and no other is', async () => {
    const store = await open()
    const { registry, clock } = testRegistry(store)
    for (const name of ['kept', 'released']) await registry.claim(claimOf(NODE_A, name))
    await registry.release('released', NODE_A)
    clock.nowMs += 90 * DAY_MS - 1
    await registry.sweep()
    expect(registry.names()).toHaveLength(2)
    clock.nowMs += 1
    await registry.sweep()
    expect(registry.names()).toMatchObject([{ host: `kept.${DOMAIN}` }])
    await registry.release('kept', NODE_A)
    clock.nowMs += 90 * DAY_MS
    await registry.sweep()
    expect(store.list('')).toEqual([])
    await registry.close()
  })

  test('a released name rests for 90 days, but for the node that had it', async () => {
    const { registry, clock } = testRegistry(await open())
    await registry.claim(claimOf(NODE_A, 'myserver'))
    expect(await registry.release('myserver', NODE_B)).toBe('not-owner')
    expect(await registry.release('myserver', NODE_A)).toBe('released')
    expect(registry.ownerOf(`myserver.${DOMAIN}`)).toBeNull()
    const untilMs = clock.nowMs + 90 * DAY_MS
    expect(await registry.claim(claimOf(NODE_B, 'myserver'))).toEqual({ kind: 'quarantined', untilMs })
    clock.nowMs = untilMs - 1
    expect(await registry.claim(claimOf(NODE_B, 'myserver'))).toEqual({ kind: 'quarantined', untilMs })
    clock.nowMs = 0 // a host without a clock: nothing ends early, and nothing is taken for older than it is
    expect(await registry.claim(claimOf(NODE_B, 'myserver'))).toEqual({ kind: 'quarantined', untilMs })
    clock.nowMs = untilMs
    expect(await registry.claim(claimOf(NODE_B, 'myserver'))).toEqual({ kind: 'claimed' })
    await registry.close()
  })

  test('a node takes its own name back out of quarantine', async () => {
    const { registry } = testRegistry(await open())
    await registry.claim(claimOf(NODE_A, 'myserver'))
    await registry.release('myserver')
    expect(await registry.claim(claimOf(NODE_A, 'myserver'))).toEqual({ kind: 'claimed' })
    expect(registry.ownerOf(`myserver.${DOMAIN}`)).toBe(NODE_A)
    await registry.close()
  })

  test('a name moves to another key of its owner, which has three at most', async () => {
    const { registry } = testRegistry(await open(), { wantsInvite: false })
    for (const name of ['one', 'two', 'three']) await registry.claim(claimOf(NODE_A, name))
    expect(await registry.claim(moveOf(NODE_B, 'one', newNode()))).toEqual({ kind: 'taken' })
    expect(await registry.claim(moveOf(NODE_B, 'one', NODE_A))).toEqual({ kind: 'claimed' })
    expect(registry.namesOf(NODE_A)).toEqual([`two.${DOMAIN}`, `three.${DOMAIN}`])
    expect(registry.namesOf(NODE_B)).toEqual([`one.${DOMAIN}`])
    expect(await registry.claim(claimOf(NODE_A, 'four'))).toEqual({ kind: 'claimed' })
    for (const name of ['two', 'three'])
      expect(await registry.claim(moveOf(NODE_B, name, NODE_A))).toEqual({ kind: 'claimed' })
    const fourth = moveOf(NODE_B, 'four', NODE_A)
    expect(await registry.claim(fourth)).toEqual({ kind: 'too-many', most: 3 })
    await registry.close()
  })

  test('of claims at the same time, one is given the name', async () => {
    const { registry } = testRegistry(await open())
    const nodes = Array.from({ length: 8 }, newNode)
    const outcomes = await Promise.all(nodes.map((node) => registry.claim(claimOf(node, 'myserver'))))
    expect(outcomes.filter(({ kind }) => kind === 'claimed')).toHaveLength(1)
    expect(outcomes.filter(({ kind }) => kind === 'taken')).toHaveLength(7)
    expect(registry.ownerOf(`myserver.${DOMAIN}`)).toBe(nodes[outcomes.findIndex(({ kind }) => kind === 'claimed')])
    await registry.close()
  })

  test('claims of one node at the same time do not pass its limit', async () => {
    const { registry } = testRegistry(await open())
    const outcomes = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => registry.claim(claimOf(NODE_A, name))))
    expect(outcomes.filter(({ kind }) => kind === 'claimed')).toHaveLength(3)
    expect(registry.namesOf(NODE_A)).toHaveLength(3)
    await registry.close()
  })

  test('an invite is used as often as it says, and no longer than it says', async () => {
    const { registry, clock } = testRegistry(await open(), { wantsInvite: true })
    expect(await registry.claim(claimOf(NODE_A, 'one'))).toEqual({ kind: 'invite-needed' })
    const invite = await registry.makeInvite(1, clock.nowMs + DAY_MS, 'for a friend')
    expect(registry.invites()).toMatchObject([{ left: 1, note: 'for a friend' }])
    expect(await registry.claim(claimOf(NODE_A, 'one', { invite: `${invite}x` }))).toEqual({ kind: 'invite-refused' })
    expect(await registry.claim(claimOf(NODE_A, 'one', { invite }))).toEqual({ kind: 'claimed' })
    expect(await registry.claim(claimOf(NODE_A, 'one', { invite }))).toEqual({ kind: 'claimed' })
    expect(await registry.claim(claimOf(NODE_B, 'two', { invite }))).toEqual({ kind: 'invite-refused' })
    const late = await registry.makeInvite(5, clock.nowMs + DAY_MS, '')
    clock.nowMs += DAY_MS
    expect(await registry.claim(claimOf(NODE_B, 'two', { invite: late }))).toEqual({ kind: 'invite-refused' })
    expect(registry.invites()).toEqual([])
    await registry.close()
  })

  test('one invite for two claims at the same time is used once', async () => {
    const { registry, clock } = testRegistry(await open(), { wantsInvite: true })
    const invite = await registry.makeInvite(1, clock.nowMs + DAY_MS, '')
    const outcomes = await Promise.all([
      registry.claim(claimOf(NODE_A, 'one', { invite })),
      registry.claim(claimOf(NODE_B, 'two', { invite })),
    ])
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['claimed', 'invite-refused'])
    await registry.close()
  })

  test('a host elsewhere is given to the node that its DNS names', async () => {
    const { registry, txt } = testRegistry(await open())
    const record = '_gate-relay.ai.example.net'
    expect(await registry.claim(claimOf(NODE_A, 'ai.example.net'))).toEqual({ kind: 'no-proof', record, value: NODE_A })
    txt.set(record, [NODE_A])
    expect(await registry.claim(claimOf(NODE_A, 'ai.example.net'))).toEqual({ kind: 'claimed' })
    txt.set(record, [NODE_A, NODE_B])
    expect(await registry.claim(claimOf(NODE_B, 'ai.example.net'))).toEqual({ kind: 'taken' })
    txt.set(record, [NODE_B])
    expect(await registry.claim(claimOf(NODE_B, 'ai.example.net'))).toEqual({ kind: 'claimed' })
    expect(registry.ownerOf('ai.example.net')).toBe(NODE_B)
    expect(registry.namesOf(NODE_A)).toEqual([])
    await registry.close()
  })

  test('routes are known as long as they are announced, the newest first', async () => {
    const { registry } = testRegistry(await open())
    await registry.join({ id: 'r1', address: 'r1.example.org:31145' })
    const node = nodeKeys()
    const first = await registry.announce(node.id, 't1', node.route('r1', 't1'))
    const second = await registry.announce(node.id, 't2', node.route('r1', 't2'))
    expect(second).toBeGreaterThan(first ?? Number.NaN)
    expect(registry.relays()).toEqual([{ id: 'r1', address: 'r1.example.org:31145' }])
    expect(registry.routesOf(node.id).map(({ relay, tunnel }) => [relay, tunnel])).toEqual([
      ['r1', 't2'],
      ['r1', 't1'],
    ])
    await registry.withdraw(node.id, 't2')
    expect(registry.routesOf(node.id)).toMatchObject([{ tunnel: 't1', epoch: first }])
    await registry.withdraw(node.id, 't1')
    expect(registry.routesOf(node.id)).toEqual([])
    await registry.leave()
    expect(registry.relays()).toEqual([])
    await registry.close()
  })

  test('a route is believed for the relay and the tunnel that its node has signed, until its time is over', async () => {
    const { registry, clock } = testRegistry(await open())
    await registry.join({ id: 'r1', address: 'r1.example.org:31145' })
    const [node, other] = [nodeKeys(), nodeKeys()]
    const proofs = [
      { tunnel: 'another-relay', proof: node.route('r2', 'another-relay') },
      { tunnel: 'another-tunnel', proof: node.route('r1', 'before') },
      { tunnel: 'another-key', proof: other.route('r1', 'another-key') },
      { tunnel: 'another-time', proof: { ...node.route('r1', 'another-time'), expiresAtMs: clock.nowMs + 3_600_000 } },
      { tunnel: 'no-key', proof: { ...node.route('r1', 'no-key'), key: '' } },
      { tunnel: 'over', proof: node.route('r1', 'over', clock.nowMs) },
      { tunnel: 'for-a-year', proof: node.route('r1', 'for-a-year', clock.nowMs + 365 * DAY_MS) },
      { tunnel: 'good', proof: node.route('r1', 'good', clock.nowMs + 1) },
    ]
    for (const { tunnel, proof } of proofs) await registry.announce(node.id, tunnel, proof)
    expect(registry.routesOf(node.id).map(({ tunnel }) => tunnel)).toEqual(['good'])
    clock.nowMs += 1
    expect(registry.routesOf(node.id)).toEqual([])
    await registry.close()
  })

  test('a relay whose clock is ahead gives names, and ends the routes of no other relay', async () => {
    const store = await open()
    const { registry, clock } = testRegistry(store)
    await registry.join({ id: 'r1', address: 'r1.example.org:31145' })
    const node = nodeKeys()
    await registry.announce(node.id, 't1', node.route('r1', 't1'))
    clock.nowMs += 365 * DAY_MS
    await registry.claim(claimOf(NODE_A, 'myserver'))
    clock.nowMs -= 365 * DAY_MS
    expect(registry.routesOf(node.id)).toMatchObject([{ tunnel: 't1' }])
    await registry.close()
  })

  test('no rest ends on the first day of a run, however far ahead the clock is at its start', async () => {
    const store = await open()
    const before = testRegistry(store)
    await before.registry.claim(claimOf(NODE_A, 'myserver'))
    await before.registry.release('myserver', NODE_A)
    const startedMs = BEGIN_MS + 100 * DAY_MS
    const { registry, clock } = testRegistry(store, {}, { nowMs: startedMs })
    const untilMs = startedMs + DAY_MS
    for (const nowMs of [startedMs, untilMs - 1]) {
      clock.nowMs = nowMs
      await registry.sweep()
      expect(registry.names()).toHaveLength(1)
      expect(await registry.claim(claimOf(NODE_B, 'myserver'))).toEqual({ kind: 'quarantined', untilMs })
    }
    clock.nowMs = untilMs
    expect(await registry.claim(claimOf(NODE_B, 'myserver'))).toEqual({ kind: 'claimed' })
    await registry.close()
  })

  test('a time that is stored and far ahead ends no rest and no invite', async () => {
    const { registry, clock } = testRegistry(await open())
    await registry.claim(claimOf(NODE_A, 'myserver'))
    await registry.release('myserver', NODE_A)
    const invite = await registry.makeInvite(1, BEGIN_MS + 30 * DAY_MS, '')
    clock.nowMs += 365 * DAY_MS
    await registry.claim(claimOf(newNode(), 'ahead'))
    clock.nowMs = BEGIN_MS + 2 * DAY_MS
    expect(registry.invites()).toMatchObject([{ id: expect.any(String), left: 1 }])
    expect(invite).toBeDefined()
    await registry.sweep()
    expect(await registry.claim(claimOf(NODE_B, 'myserver'))).toMatchObject({ kind: 'quarantined' })
    await registry.close()
  })

  test('a name of a challenge has two records at most', async () => {
    const { registry } = testRegistry(await open())
    const name = `_acme-challenge.myserver.${DOMAIN}`
    const added = ['v1', 'v2', 'v3'].map((value) => registry.records.add({ name, value, removeAtMs: 5 }))
    expect((await Promise.all(added)).sort()).toEqual(['added', 'added', 'too-many'])
    const [first, second] = registry.records.list()
    expect(first).toMatchObject({ name, removeAtMs: 5 })
    for (const record of [first, second]) if (record !== undefined) await registry.records.remove(record)
    expect(registry.records.list()).toEqual([])
    await registry.close()
  })
}
