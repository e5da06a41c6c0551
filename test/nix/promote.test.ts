// What `gatectl config promote --format nix` prints, pasted into a host: the declared layer then says the same.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { promoted } from '../../config/promote.ts'
import { configSchema } from '../../schemas/config/config.ts'
import { keyTree, leaves } from '../../schemas/config/keys.ts'
import { isTree, leafPaths, type Tree, valueAt } from '../../syntax/tree.ts'
import { everyKey } from '../support/every-key.ts'
import { hasNix } from '../support/nix.ts'
import { nixStore } from '../support/nix-build.ts'
import { evaluateHosts, MODULES, type NixosHost } from '../support/nixos.ts'

const keys = keyTree(configSchema)

const snippet = promoted('nix', keys, everyKey)

test('every key that is no secret is in this test', () => {
  const isName = ([first = '', second]: readonly string[], i: number) =>
    (i === 1 &&
      ['upstreams', 'backends', 'apps', 'models', 'categories', 'budgets', 'limits', 'alerts', 'peers'].includes(
        first,
      )) ||
    (i === 2 && second === 'oidc')
  const named = (path: readonly string[]) => path.map((step, i) => (isName(path, i) ? '*' : step)).join('.')
  const all = [...leaves(keys)].filter(([, { meta }]) => !meta.secret).map(([path]) => path.join('.'))
  expect([...leafPaths(everyKey)].map(named).sort()).toEqual(all.sort())
})

describe.skipIf(!hasNix)('pasted into a NixOS host (needs nix-bin)', () => {
  const store = nixStore()
  afterAll(store.remove)

  const declared = ({ builds }: NixosHost): Tree => {
    const [build] = builds
    if (build === undefined) return expect.unreachable('a gateway is built')
    const value: unknown = JSON.parse(readFileSync(join(store.build(build), 'declared/declared.json'), 'utf8'))
    return isTree(value) ? value : expect.unreachable('declared.json is an object')
  }

  test('the declared layer holds every value', () => {
    const host = evaluateHosts({ pasted: [MODULES, `{ services.gate-daemon.enable = true; ${snippet} }`] })['pasted']
    expect(host?.failed).toEqual([])
    const layer = declared(host ?? expect.unreachable())
    for (const path of leafPaths(everyKey))
      expect({ path, value: valueAt(layer, path) }).toEqual({ path, value: valueAt(everyKey, path) })
  })

  test('a key that the host sets by an option of its own is not silently one of two', () => {
    const module = `{ services.gate-daemon = { enable = true; port = 8080; }; ${promoted('nix', keys, { server: { port: 3999 } })} }`
    expect(evaluateHosts({ both: [MODULES, module] })['both']?.failed).toEqual([
      expect.stringContaining('services.gate-daemon.port = 8080 and services.gate-daemon.settings.server.port = 3999'),
    ])
  })
})
