// What `gatectl config promote --format nix` prints, pasted into a host: the declared layer then says the same.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { promoted } from '../../config/promote.ts'
import { configSchema } from '../../schemas/config/config.ts'
import { keyTree, leaves } from '../../schemas/config/keys.ts'
import { isTree, leafPaths, type Tree, valueAt } from '../../syntax/tree.ts'
import { hasNix } from '../support/nix.ts'
import { nixStore } from '../support/nix-build.ts'
import { evaluateHosts, MODULES, type NixosHost } from '../support/nixos.ts'
import { hasProgram } from '../support/programs.ts'

const keys = keyTree(configSchema)

/** Every key, each with another value than its default; names and texts that Nix might take for something else. */
const RUNTIME: Tree = {
  server: {
    host: '127.0.0.2',
    port: 3999,
    p2p_port: 41_999,
    allow_from: ['10.0.0.0/8', '::1'],
    trusted_proxies: ['192.0.2.1'],
    allowed_hosts: ['ai.example.org'],
    max_body: '1.5MiB',
    max_buffered: '1GiB',
    max_connections: 99,
    max_concurrent: 98,
    headers_timeout: '6s',
    body_timeout: '61s',
    stall_timeout: '62s',
    drain_timeout: '31s',
  },
  // biome-ignore lint/suspicious/noTemplateCurlyInString: Nix would interpolate it
  auth: { mode: 'none', jwt: { issuer: 'a "${b}" \'\'${c} \\ $${d}', expiration_hours: 0.25 } },
  upstreams: {
    '42': {
      enabled: false,
      provider: 'custom',
      base_url: 'http://127.0.0.1:9/v1',
      socket: '/run/x.sock',
      models: ['a b'],
      timeout: '1s',
      idle_timeout: '2s',
      connect_timeout: '3s',
    },
  },
  backends: {
    'with-a-dash': {
      enabled: false,
      provider: 'custom',
      base_url: 'http://127.0.0.1:9/v1',
      socket: '/run/y.sock',
      models: ['m'],
      timeout: '1s',
      idle_timeout: '2s',
      connect_timeout: '3s',
      agent: '/run/agent.sock',
      idle_stop: '4m',
      group: 'gpu0',
      start_timeout: '5s',
      max_concurrent: 6,
      max_waiting: 7,
      wait_timeout: '8s',
    },
  },
  models: { in: { targets: [{ upstream: '42', model: 'x', weight: 0.5 }], strategy: 'weighted', category: 'c' } },
  discovery: { enabled: false, interval: '9s' },
  letsencrypt: { enabled: true, email: 'me@example.org', staging: true, domains: ['ai.example.org'] },
  relay: { enable: true, addresses: ['relay.example.org:443'], custom_domain: 'me' },
  log: { level: 'debug', format: 'text' },
}

const snippet = promoted('nix', keys, RUNTIME)

test('every key that is no secret is in this test', () => {
  const named = (path: readonly string[]) =>
    path
      .map((step, i) => (i === 1 && ['upstreams', 'backends', 'models'].includes(path[0] ?? '') ? '*' : step))
      .join('.')
  const all = [...leaves(keys)].filter(([, { meta }]) => !meta.secret).map(([path]) => path.join('.'))
  expect([...leafPaths(RUNTIME)].map(named).sort()).toEqual(all.sort())
})

describe.skipIf(!hasNix || !hasProgram('jq'))('pasted into a NixOS host (needs nix-bin, jq)', () => {
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
    for (const path of leafPaths(RUNTIME))
      expect({ path, value: valueAt(layer, path) }).toEqual({ path, value: valueAt(RUNTIME, path) })
  })

  test('a key that the host sets by an option of its own is not silently one of two', () => {
    const module = `{ services.gate-daemon = { enable = true; port = 8080; }; ${promoted('nix', keys, { server: { port: 3999 } })} }`
    expect(evaluateHosts({ both: [MODULES, module] })['both']?.failed).toEqual([
      expect.stringContaining('services.gate-daemon.port = 8080 and services.gate-daemon.settings.server.port = 3999'),
    ])
  })
})
