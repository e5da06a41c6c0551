import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { watch } from 'node:fs/promises'
import { dirname } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openFileStore } from '../../../../../daemon/relay/registry/file-store.ts'
import { nodeKeys } from '../../../../support/node-keys.ts'
import { claimOf, DOMAIN, NODE_A, registryContract, testRegistry } from '../../../../support/registry-contract.ts'
import { temporaryDirectory } from '../../../../support/temporary-directory.ts'

const directory = temporaryDirectory()
let made = 0
const inNewDirectory = () => directory.file(`${made++}/registry.json`)

afterAll(directory.remove)

describe('a registry in a file', () => registryContract(async () => openFileStore(inNewDirectory())))

describe('the file', () => {
  test('keeps names over a restart, and no routes', async () => {
    const file = inNewDirectory()
    const { registry } = testRegistry(openFileStore(file))
    await registry.claim(claimOf(NODE_A, 'myserver'))
    const node = nodeKeys()
    await registry.announce(node.id, 't1', node.route('this', 't1'))
    expect(registry.routesOf(node.id)).toHaveLength(1)
    const { registry: again } = testRegistry(openFileStore(file))
    expect(again.ownerOf(`myserver.${DOMAIN}`)).toBe(NODE_A)
    expect(again.routesOf(node.id)).toEqual([])
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  test('has a name when its claim is answered, and claims at the same time are written together', async () => {
    const file = inNewDirectory()
    const { registry } = testRegistry(openFileStore(file))
    await registry.claim(claimOf(NODE_A, 'first'))
    const nodes = Array.from({ length: 100 }, nodeKeys)
    const watching = new AbortController()
    let written = 0
    const watched = (async () => {
      for await (const { filename } of watch(dirname(file), { signal: watching.signal }))
        if (filename === 'registry.json') written += 1
    })().catch(() => {})
    await Promise.all(
      nodes.map(async (node, i) => {
        expect(await registry.claim(node.claim(`name-${i}`))).toEqual({ kind: 'claimed' })
        expect(readFileSync(file, 'utf8')).toContain(node.id)
      }),
    )
    await registry.close()
    watching.abort()
    await watched
    expect(written).toBeLessThan(5)
    const { registry: again } = testRegistry(openFileStore(file))
    expect(again.names()).toHaveLength(101)
  })

  test('that cannot be written any more takes back what it does not have, and nothing else', async () => {
    const file = inNewDirectory()
    const { registry, logged } = testRegistry(openFileStore(file))
    expect(await registry.claim(claimOf(NODE_A, 'kept'))).toEqual({ kind: 'claimed' })
    expect(registry.state()).toBe('live')
    await registry.close()
    rmSync(dirname(file), { recursive: true })
    writeFileSync(dirname(file), 'in the way')
    const [one, two] = [nodeKeys(), nodeKeys()]
    const lost = ['a', 'b', 'c'].map((name) => registry.claim(one.claim(name)))
    const given = registry.release('kept', NODE_A)
    expect(await Promise.all(lost)).toEqual(Array(3).fill({ kind: 'unavailable' }))
    expect(await given).toBe('unavailable')
    expect(await registry.makeInvite(1, Number.MAX_SAFE_INTEGER, '')).toBeUndefined()
    expect(registry.state()).toBe('lost')
    expect(logged).toEqual([expect.stringMatching(/^the registry cannot be written/)])
    expect(registry.namesOf(one.id)).toEqual([])
    expect(registry.namesOf(NODE_A)).toEqual([`kept.${DOMAIN}`])
    await registry.close()
    rmSync(dirname(file))
    expect(await registry.claim(two.claim('a'))).toEqual({ kind: 'claimed' })
    expect(registry.state()).toBe('live')
    await registry.close()
    const { registry: again } = testRegistry(openFileStore(file))
    expect(again.names().map(({ host }) => host)).toEqual([`a.${DOMAIN}`, `kept.${DOMAIN}`])
  })

  test('is left as it is when it is not a registry', () => {
    const file = inNewDirectory()
    mkdirSync(dirname(file))
    writeFileSync(file, '{"version":1,"revis')
    expect(() => openFileStore(file)).toThrow(`${file}: is not a registry of names`)
    expect(readFileSync(file, 'utf8')).toBe('{"version":1,"revis')
  })

  test('that cannot be written gives no name', async () => {
    const { registry } = testRegistry(openFileStore('/proc/nowhere/registry.json'))
    expect(await registry.claim(claimOf(NODE_A, 'myserver'))).toEqual({ kind: 'unavailable' })
    expect(registry.ownerOf(`myserver.${DOMAIN}`)).toBeNull()
    expect(registry.namesOf(NODE_A)).toEqual([])
  })
})
