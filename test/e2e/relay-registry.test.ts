import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openEtcdGateway } from '../../daemon/relay/registry/etcd-gateway.ts'
import { encoded } from '../../daemon/relay/registry/etcd-messages.ts'
import { openEtcdStore } from '../../daemon/relay/registry/etcd-store.ts'
import type { RecordStore } from '../../daemon/relay/registry/record-store.ts'
import { until } from '../support/daemon.ts'
import { sampled } from '../support/effort.ts'
import { type Etcd, hasEtcd, startEtcd } from '../support/etcd.ts'
import { nodeKeys } from '../support/node-keys.ts'
import {
  claimOf,
  DOMAIN,
  NODE_A,
  NODE_B,
  newNode,
  registryContract,
  testRegistry,
} from '../support/registry-contract.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

describe.skipIf(!hasEtcd)('a registry in etcd', () => {
  const directory = temporaryDirectory()
  let etcd: Etcd
  beforeAll(async () => {
    etcd = await startEtcd()
  })
  afterAll(async () => {
    await etcd.remove()
    directory.remove()
  })

  let caches = 0
  const newCache = () => directory.file(`cache-${caches++}.json`)
  const newPrefix = () => `/gate-relay/${randomBytes(6).toString('hex')}/`

  /** The store of one relay. */
  async function openStore(prefix = newPrefix(), cacheFile = newCache()): Promise<RecordStore> {
    const gateway = openEtcdGateway({ endpoints: ['http://127.0.0.1:1', etcd.endpoint] })
    const store = openEtcdStore({ gateway, prefix, cacheFile, log: () => {}, random: Math.random })
    await store.ready
    return store
  }

  registryContract(() => openStore())

  test('of two relays that race for a claim, exactly one gives the name, and both know to whom', async () => {
    const prefix = newPrefix()
    const [one, two] = [testRegistry(await openStore(prefix)), testRegistry(await openStore(prefix))]
    const names = Array.from({ length: sampled(60, 1_000) }, (_, i) => `name-${i}`)
    for (const name of names) {
      // nodes of their own, because a node has three names at most
      const [a, b] = [newNode(), newNode()]
      const [first, second] = await Promise.all([
        one.registry.claim(claimOf(a, name)),
        two.registry.claim(claimOf(b, name)),
      ])
      expect([first.kind, second.kind].sort()).toEqual(['claimed', 'taken'])
      const owner = first.kind === 'claimed' ? a : b
      const host = `${name}.${DOMAIN}`
      await until(() => one.registry.ownerOf(host) === owner && two.registry.ownerOf(host) === owner)
    }
    await one.registry.close()
    await two.registry.close()
  })

  test('one invite at two relays at the same time is used once', async () => {
    const prefix = newPrefix()
    const rules = { wantsInvite: true }
    const [one, two] = [testRegistry(await openStore(prefix), rules), testRegistry(await openStore(prefix), rules)]
    const invite = await one.registry.makeInvite(1, one.clock.nowMs + 3_600_000, '')
    await until(() => two.registry.invites().length === 1)
    const outcomes = await Promise.all([
      one.registry.claim(claimOf(NODE_A, 'one', { invite })),
      two.registry.claim(claimOf(NODE_B, 'two', { invite })),
    ])
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['claimed', 'invite-refused'])
    await one.registry.close()
    await two.registry.close()
  })

  test('the names of a node are told at whichever relay it is, when they are given and when they are taken', async () => {
    const prefix = newPrefix()
    const [one, two] = [testRegistry(await openStore(prefix)), testRegistry(await openStore(prefix))]
    const told: string[] = []
    two.registry.onNames((nodeId) => told.push(`${nodeId} ${two.registry.namesOf(nodeId)}`))
    await one.registry.claim(claimOf(NODE_A, 'myserver'))
    await until(() => told.includes(`${NODE_A} myserver.${DOMAIN}`))
    await one.registry.release('myserver')
    await until(() => told.includes(`${NODE_A} `))
    await one.registry.close()
    await two.registry.close()
  })

  test('a route is known at the other relay, and gone when its relay leaves', async () => {
    const prefix = newPrefix()
    const [one, two] = [testRegistry(await openStore(prefix)), testRegistry(await openStore(prefix))]
    const node = nodeKeys()
    await one.registry.join({ id: 'r1', address: 'r1.example.org:31145' })
    await one.registry.announce(node.id, 't1', node.route('r1', 't1'))
    await until(() => two.registry.routesOf(node.id).length === 1 && two.registry.relays().length === 1)
    await one.registry.close()
    await until(() => two.registry.routesOf(node.id).length === 0 && two.registry.relays().length === 0)
    await two.registry.close()
  })

  test('a route that could not be written, or taken away, is so a moment later', async () => {
    const prefix = newPrefix()
    let isDeaf = false
    const gateway = openEtcdGateway({ endpoints: [etcd.endpoint] })
    const call: typeof gateway.call = async (path, body) => {
      if (isDeaf && path === 'kv/txn') throw new Error('the leader has changed')
      return await gateway.call(path, body)
    }
    const parts = { prefix, log: () => {}, random: Math.random }
    const store = openEtcdStore({ ...parts, gateway: { ...gateway, call }, cacheFile: newCache() })
    await store.ready
    const [one, two] = [testRegistry(store), testRegistry(await openStore(prefix))]
    const node = nodeKeys()
    await one.registry.announce(node.id, 't1', node.route('this', 't1'))
    isDeaf = true
    expect(await one.registry.announce(node.id, 't2', node.route('this', 't2'))).toBeUndefined()
    await one.registry.withdraw(node.id, 't1')
    isDeaf = false
    expect(one.registry.state()).toBe('live')
    await until(
      () =>
        two.registry
          .routesOf(node.id)
          .map(({ tunnel }) => tunnel)
          .join() === 't2',
    )
    await one.registry.close()
    await two.registry.close()
  })

  test('the copy on the disk is not written for routes', async () => {
    const prefix = newPrefix()
    const cacheFile = newCache()
    const { registry } = testRegistry(await openStore(prefix, cacheFile))
    await registry.claim(claimOf(NODE_A, 'myserver'))
    await until(() => existsSync(cacheFile) && readFileSync(cacheFile, 'utf8').includes(NODE_A))
    const { ino } = statSync(cacheFile)
    const node = nodeKeys()
    await registry.announce(node.id, 't1', node.route('this', 't1'))
    await registry.withdraw(node.id, 't1')
    await registry.close() // which writes what is not written yet
    expect(statSync(cacheFile).ino).toBe(ino)
  })

  test('what is written to etcd by hand takes no name from its node, and a name that is removed rests', async () => {
    const prefix = newPrefix()
    const [one, two] = [testRegistry(await openStore(prefix)), testRegistry(await openStore(prefix))]
    const gateway = openEtcdGateway({ endpoints: [etcd.endpoint] })
    const key = (host: string) => encoded(`${prefix}name/${host}.${DOMAIN}`)
    const put = async (host: string, value: object) =>
      await gateway.call('kv/put', { key: key(host), value: encoded(JSON.stringify(value)) })
    for (const name of ['myserver', 'removed']) await one.registry.claim(claimOf(NODE_A, name))
    await until(() => two.registry.names().length === 2)
    const { nodeId, key: of, signature, exporter } = claimOf(NODE_B, 'myserver')
    // a time to come ends no rest
    await put('myserver', {
      nodeId,
      claimedAtMs: Date.parse('9999-01-01'),
      name: 'myserver',
      key: of,
      signature,
      exporter,
    })
    await gateway.call('kv/deleterange', { key: key('removed') })
    await put('last', { claimedAtMs: 1, ...claimOf(NODE_B, 'last') })
    await until(() => [one, two].every(({ registry }) => registry.ownerOf(`last.${DOMAIN}`) === NODE_B))
    for (const { registry } of [one, two]) {
      expect(registry.ownerOf(`myserver.${DOMAIN}`)).toBe(NODE_A)
      expect(registry.ownerOf(`removed.${DOMAIN}`)).toBeNull()
      expect(await registry.claim(claimOf(NODE_B, 'removed'))).toMatchObject({ kind: 'quarantined' })
    }
    expect(await one.registry.claim(claimOf(NODE_A, 'removed'))).toEqual({ kind: 'claimed' })
    await until(() => two.registry.ownerOf(`removed.${DOMAIN}`) === NODE_A)
    // and the node that has it can have it written again
    expect(await two.registry.claim(claimOf(NODE_A, 'myserver'))).toEqual({ kind: 'claimed' })
    const late = testRegistry(await openStore(prefix))
    expect(late.registry.ownerOf(`myserver.${DOMAIN}`)).toBe(NODE_A)
    await late.registry.close()
    gateway.close()
    await one.registry.close()
    await two.registry.close()
  })

  test('while etcd is lost what is known stays, nothing is given, and tunnels are announced afterwards', async () => {
    const prefix = newPrefix()
    const cacheFile = newCache()
    const [one, two] = [testRegistry(await openStore(prefix, cacheFile)), testRegistry(await openStore(prefix))]
    const host = `myserver.${DOMAIN}`
    await one.registry.claim(claimOf(NODE_A, 'myserver'))
    const [node, other] = [nodeKeys(), nodeKeys()]
    await one.registry.announce(node.id, 't1', node.route('this', 't1'))
    await until(() => two.registry.routesOf(node.id).length === 1)
    await etcd.kill()
    await until(() => one.registry.state() === 'lost' && two.registry.state() === 'lost')
    expect(two.registry.ownerOf(host)).toBe(NODE_A)
    expect(two.registry.routesOf(node.id)).toHaveLength(1)
    expect(await two.registry.claim(claimOf(NODE_B, 'other'))).toEqual({ kind: 'unavailable' })
    expect(await one.registry.claim(claimOf(NODE_A, 'myserver'))).toEqual({ kind: 'claimed' })
    expect(await one.registry.announce(other.id, 't2', other.route('this', 't2'))).toBeUndefined()

    // a relay that starts now has the names that an earlier run knew
    await one.registry.close()
    const again = testRegistry(await openStore(prefix, cacheFile))
    expect(again.registry.state()).toBe('lost')
    expect(again.registry.ownerOf(host)).toBe(NODE_A)
    await again.registry.announce(other.id, 't3', other.route('this', 't3'))

    await etcd.start()
    await until(() => two.registry.routesOf(other.id).length === 1)
    expect(await two.registry.claim(claimOf(NODE_B, 'other'))).toEqual({ kind: 'claimed' })
    await again.registry.close()
    await two.registry.close()
  })
})
