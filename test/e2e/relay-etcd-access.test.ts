import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type EtcdAccess, openEtcdGateway } from '../../daemon/relay/registry/etcd-gateway.ts'
import { encoded, rangeEnd } from '../../daemon/relay/registry/etcd-messages.ts'
import { openEtcdStore } from '../../daemon/relay/registry/etcd-store.ts'
import type { RecordStore } from '../../daemon/relay/registry/record-store.ts'
import { until } from '../support/daemon.ts'
import { type Etcd, type EtcdTls, etcdAuthority, hasEtcd, startEtcd } from '../support/etcd.ts'
import { hasProgram } from '../support/programs.ts'
import { registryContract } from '../support/registry-contract.ts'
import { DOMAIN } from '../support/relay.ts'
import { claim, startAnsweringNode, startRelayProgram } from '../support/relay-program.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const PASSWORD = 'password-of-relays'

describe.skipIf(!hasEtcd || !hasProgram('openssl'))('etcd with TLS, client certificates and users', () => {
  const directory = temporaryDirectory()
  let [tls, strangers]: EtcdTls[] = []
  let etcd: Etcd
  let access: Required<Pick<EtcdAccess, 'ca' | 'cert' | 'key' | 'user' | 'password'>>
  const textOf = (file: string) => readFileSync(file, 'utf8')

  beforeAll(async () => {
    tls = etcdAuthority(directory.file('tls'))
    strangers = etcdAuthority(directory.file('strangers'))
    etcd = await startEtcd({ tls })
    const client = { ca: textOf(tls.ca), cert: textOf(tls.client.cert), key: textOf(tls.client.key) }
    const gateway = openEtcdGateway({ endpoints: [etcd.endpoint], ...client })
    const perm = { permType: 'READWRITE', key: encoded('/gate-relay/'), range_end: rangeEnd('/gate-relay/') }
    const steps: readonly (readonly [string, object])[] = [
      ['auth/user/add', { name: 'root', password: 'password-of-root' }],
      ['auth/role/add', { name: 'root' }],
      ['auth/user/grant', { user: 'root', role: 'root' }],
      ['auth/user/add', { name: 'relays', password: PASSWORD }],
      ['auth/role/add', { name: 'relays' }],
      ['auth/role/grant', { name: 'relays', perm }],
      ['auth/user/grant', { user: 'relays', role: 'relays' }],
      ['auth/enable', {}],
    ]
    for (const [path, body] of steps) await gateway.call(path, body)
    gateway.close()
    access = { ...client, user: 'relays', password: PASSWORD }
  })
  afterAll(async () => {
    await etcd?.remove()
    directory.remove()
  })

  let caches = 0
  async function openStore(
    other: Partial<EtcdAccess> = {},
    prefix = `/gate-relay/${randomBytes(6).toString('hex')}/`,
    log = (_: string) => {},
  ): Promise<RecordStore> {
    const gateway = openEtcdGateway({ endpoints: [etcd.endpoint], ...access, ...other })
    const store = openEtcdStore({
      gateway,
      prefix,
      cacheFile: directory.file(`cache-${caches++}.json`),
      log: (_, message, fields) => log(`${message} ${fields?.error}`),
      random: Math.random,
    })
    await store.ready
    return store
  }

  registryContract(() => openStore())

  test.each<{ what: string; other: () => Partial<EtcdAccess>; prefix?: string; says: string }>([
    { what: 'a wrong password', other: () => ({ password: 'wrong' }), says: 'invalid user ID or password' },
    { what: 'no user', other: () => ({ user: undefined }), says: 'permission denied' },
    { what: 'keys that the user has no right to', other: () => ({}), prefix: '/elsewhere/', says: 'permission denied' },
    {
      what: 'no client certificate',
      other: () => ({ cert: undefined, key: undefined }),
      says: 'registry.cert_file and registry.key_file',
    },
    {
      what: 'a client certificate of another CA',
      other: () => ({ cert: textOf(strangers?.client.cert ?? ''), key: textOf(strangers?.client.key ?? '') }),
      says: 'registry.cert_file and registry.key_file',
    },
    { what: 'another CA', other: () => ({ ca: textOf(strangers?.ca ?? '') }), says: 'registry.ca_file' },
    {
      what: 'a client certificate with a Common Name',
      other: () => ({ cert: textOf(tls?.named.cert ?? ''), key: textOf(tls?.named.key ?? '') }),
      says: 'must have no Common Name (CN)',
    },
  ])('$what: no name is given, and it is said why', async ({ other, prefix, says }) => {
    const said: string[] = []
    const store = await openStore(other(), prefix, (line) => said.push(line))
    expect(store.state()).toBe('lost')
    expect((await store.commit([], [{ key: 'name/x', value: 'x' }])).kind).toBe('lost')
    expect(said.join()).toContain(says)
    expect(said.join()).not.toContain(PASSWORD)
    await store.close()
  })

  test('a relay keeps names there, also when etcd has forgotten who signed in', async () => {
    const relay = await startRelayProgram({
      RELAY__REGISTRY__KIND: 'etcd',
      RELAY__REGISTRY__ENDPOINTS: etcd.endpoint,
      RELAY__REGISTRY__CA_FILE: tls?.ca ?? '',
      RELAY__REGISTRY__CERT_FILE: tls?.client.cert ?? '',
      RELAY__REGISTRY__KEY_FILE: tls?.client.key ?? '',
      RELAY__REGISTRY__USER: 'relays',
      RELAY__REGISTRY__PASSWORD: PASSWORD,
    })
    const node = await startAnsweringNode(relay, 'home')
    expect(await claim(node, 'before')).toMatchObject({ result: 'ok' })
    const isAt = async (state: string) => (await relay.ask('GET /status')).registry.state === state
    await etcd.kill()
    await until(() => isAt('lost'))
    await etcd.start()
    await until(() => isAt('live'))
    expect(await claim(node, 'after')).toMatchObject({ result: 'ok' })
    expect(await relay.ask('GET /names')).toMatchObject({
      names: expect.arrayContaining([expect.objectContaining({ host: `after.${DOMAIN}`, nodeId: node.id })]),
    })
    expect(relay.output()).not.toContain(PASSWORD)
    node.stop()
    await relay.stop()
    relay.remove()
  })
})
