import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
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
