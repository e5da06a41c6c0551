import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { performServerHandshake } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { claimBytes, HOP_ALPN } from '../../daemon/relay/protocol.ts'
import { openEtcdGateway } from '../../daemon/relay/registry/etcd-gateway.ts'
import { encoded } from '../../daemon/relay/registry/etcd-messages.ts'
import { type RouteProof, routeBytes } from '../../daemon/relay/route-proof.ts'
import { until } from '../support/daemon.ts'
import { type Etcd, hasEtcd, startEtcd } from '../support/etcd.ts'
import { gatectl } from '../support/gatectl.ts'
import { nodeKeys } from '../support/node-keys.ts'
import { hasProgram, run } from '../support/programs.ts'
import { DOMAIN, ed25519Identity, portOf, startNode, type TestNode } from '../support/relay.ts'
import { claim, curl, type RelayProgram, startAnsweringNode, startRelayProgram } from '../support/relay-program.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const root = join(import.meta.dirname, '../..')

function gateRelay(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawnSync(process.execPath, ['bin/gate-relay.ts', ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...env },
  })
  return { status: child.status, stdout: child.stdout, stderr: child.stderr }
}

describe('the command line of gate-relay', () => {
  test('says its version and its options', () => {
    expect(gateRelay(['--version'])).toMatchObject({ status: 0, stdout: expect.stringMatching(/^gate-relay \d/) })
    expect(gateRelay(['--help']).stdout).toContain('--instance NAME')
    expect(gateRelay(['--nonsense'])).toMatchObject({ status: 2, stderr: expect.stringContaining('--nonsense') })
    expect(gateRelay(['--instance', '../x'])).toMatchObject({ status: 2 })
  })

  test('says what is wrong with the configuration, where, and without secrets', () => {
    const wrong = gateRelay(['--check'], {
      RELAY__DOMAIN_SUFIX: 'x',
      RELAY__REGISTRY__KIND: 'etcd',
      RELAY__DNS__CLOUDFLARE__API_TOKEN: 'secret-token',
      RELAY__LIMITS__VISITORS: 'many',
    })
    expect(wrong.status).toBe(1)
    expect(wrong.stderr).toContain(
      'RELAY__DOMAIN_SUFIX: is not a configuration key; did you mean RELAY__DOMAIN_SUFFIX?',
    )
    expect(wrong.stderr).toContain('RELAY__LIMITS__VISITORS: is not a number')
    expect(wrong.stderr).not.toContain('secret-token')
    expect(gateRelay(['--check'], { RELAY__REGISTRY__KIND: 'etcd' }).stderr).toContain('registry.endpoints is empty')
  })

  test('explains each key by its layer, secrets left out', () => {
    const { stdout } = gateRelay(['--explain'], {
      RELAY__HTTPS_PORT: '8443',
      RELAY__DNS__PROVIDER: 'cloudflare',
      RELAY__DNS__CLOUDFLARE__API_TOKEN: 'secret-token',
    })
    expect(stdout).toContain('https_port = 8443  (env: RELAY__HTTPS_PORT)')
    expect(stdout).toContain('p2p_port = 31145  (defaults: built in)')
    expect(stdout).toContain('dns.cloudflare.api_token = {"secret":true}')
    expect(stdout).not.toContain('secret-token')
  })
})

describe('a relay of one host', () => {
  let relay: RelayProgram
  beforeAll(async () => {
    relay = await startRelayProgram()
  })
  afterAll(async () => {
    expect(await relay.stop()).toBe(0)
    relay.remove()
  })

  test('a node joins, claims a name, and curl reaches it by both; both stay over a restart', async () => {
    const node = await startAnsweringNode(relay, 'hello from home')
    expect(await curl(node.host, relay)).toBe('hello from home')
    expect(await claim(node, 'myserver')).toMatchObject({ result: 'ok' })
    expect(await node.hear('names')).toMatchObject({ names: expect.arrayContaining([`myserver.${DOMAIN}`]) })
    expect(await curl(`myserver.${DOMAIN}`, relay)).toBe('hello from home')
    expect(await relay.ask('GET /nodes')).toMatchObject({ tunnels: [{ nodeId: node.id }] })
    expect(await relay.ask('GET /status')).toMatchObject({ nodes: 1, names: 1, registry: { state: 'live' } })
    const before = await relay.ask('GET /status')

    const { stateDirectory } = relay
    await relay.kill()
    relay = await startRelayProgram({}, stateDirectory)
    expect(await relay.ask('GET /status')).toMatchObject({ id: before.id, pin: before.pin, names: 1 })
    const again = await startAnsweringNode(relay, 'hello again', node.identity)
    expect(await curl(`myserver.${DOMAIN}`, relay)).toBe('hello again')
    again.stop()
  })

  test('a name is not given for a signature of another tunnel, key or name', async () => {
    const [one, two] = [await startAnsweringNode(relay, 'one'), await startAnsweringNode(relay, 'two')]
    const signed = claimBytes(one.exporter, { name: 'other', nodeId: one.id })
    const claimed = (signature: string) => one.ask({ type: 'claim', name: 'other', signature })
    expect(await claimed(two.sign(signed))).toMatchObject({ result: 'bad-signature' })
    expect(await claimed(one.sign(claimBytes(two.exporter, { name: 'other', nodeId: one.id })))).toMatchObject({
      result: 'bad-signature',
    })
    expect(await claimed(one.sign(claimBytes(one.exporter, { name: 'another', nodeId: one.id })))).toMatchObject({
      result: 'bad-signature',
    })
    expect(await claimed(one.sign(signed))).toMatchObject({ result: 'ok' })
    expect(await claim(two, 'other')).toMatchObject({ result: 'taken' })
    expect(await claim(two, 'relay')).toMatchObject({ result: 'reserved' })
    expect(await claim(two, `a.b.${DOMAIN}`)).toMatchObject({ result: 'invalid' })
    expect(await two.ask({ type: 'release', name: 'other' })).toMatchObject({ result: 'not-owner' })
    expect(await one.ask({ type: 'release', name: 'other' })).toMatchObject({ result: 'ok' })
    expect(await claim(two, 'other')).toMatchObject({ result: 'quarantined' })
    await expect(curl(`other.${DOMAIN}`, relay)).rejects.toThrow()
    one.stop()
    two.stop()
  })

  test('a node that asks without end is told to wait, also over its next tunnel, and others are answered', async () => {
    const node = await startAnsweringNode(relay, 'busy')
    const asked = (one: typeof node) => one.ask({ type: 'release', name: 'none' })
    for (let i = 0; i < 40; i++) await asked(node)
    expect(await asked(node)).toMatchObject({ result: 'busy' })
    const again = await startAnsweringNode(relay, 'busy', node.identity)
    expect(await asked(again)).toMatchObject({ result: 'busy' })
    const calm = await startAnsweringNode(relay, 'calm')
    expect(await asked(calm)).toMatchObject({ result: 'not-owner' })
    for (const one of [node, again, calm]) one.stop()
  })

  test('a name moves to another key that the old one signs for', async () => {
    const [old, young] = [await startAnsweringNode(relay, 'old'), await startAnsweringNode(relay, 'young')]
    expect(await claim(old, 'moving')).toMatchObject({ result: 'ok' })
    const bytes = claimBytes(young.exporter, { name: 'moving', nodeId: young.id })
    const { X509Certificate } = await import('node:crypto')
    const spki = new X509Certificate(old.identity.cert).publicKey.export({ type: 'spki', format: 'der' })
    const move = (signature: string) =>
      young.ask({
        type: 'claim',
        name: 'moving',
        signature: young.sign(bytes),
        previous: { publicKey: spki.toString('base64url'), signature },
      })
    expect(await move(young.sign(bytes))).toMatchObject({ result: 'bad-signature' })
    expect(await move(old.sign(bytes))).toMatchObject({ result: 'ok' })
    expect(await curl(`moving.${DOMAIN}`, relay)).toBe('young')
    old.stop()
    young.stop()
  })

  test('SIGHUP takes over what may change, and refuses what is wrong', async () => {
    const node = await startAnsweringNode(relay, 'x')
    const file = join(relay.stateDirectory, 'relay.toml')
    writeFileSync(file, 'invite = { required = true }\n')
    relay.reload()
    await until(() => relay.output().includes('"message":"reloaded"'))
    expect(await claim(node, 'invited')).toMatchObject({ result: 'invite-needed' })
    writeFileSync(file, 'invite = { required = "maybe" }\n')
    relay.reload()
    await until(() => relay.output().includes('invite.required is not'))
    expect(await claim(node, 'invited')).toMatchObject({ result: 'invite-needed' })
    const made = await relay.ask('POST /invites', { uses: 1 })
    const invite = 'invite' in made ? made.invite : ''
    expect(await claim(node, 'invited', { invite })).toMatchObject({ result: 'ok' })
    const other = await startAnsweringNode(relay, 'y')
    expect(await claim(other, 'twice', { invite })).toMatchObject({ result: 'invite-refused' })
    expect(relay.output()).not.toContain(invite)
    writeFileSync(file, '')
    relay.reload()
    node.stop()
    other.stop()
  })
})

test.skipIf(!hasProgram('prlimit'))(
  'a relay without a file descriptor left goes on, and serves when it has some',
  async () => {
    const relay = await startRelayProgram({ RELAY__LIMITS__BURST_PER_ADDRESS: '1000' })
    const node = await startAnsweringNode(relay, 'home')
    const silent: Socket[] = []
    try {
      expect(await curl(node.host, relay)).toBe('home')
      const most = readdirSync(`/proc/${relay.pid}/fd`).length + 8
      run('prlimit', ['--pid', String(relay.pid), `--nofile=${most}:${most}`])
      for (let i = 0; i < 60; i += 1) {
        const socket = connect({ port: relay.port, host: '127.0.0.1' }).on('error', () => {})
        silent.push(socket)
        await once(socket, 'connect')
      }
      await until(() => readdirSync(`/proc/${relay.pid}/fd`).length >= most - 1)
      await expect(curl(node.host, relay)).rejects.toThrow()
      for (const socket of silent) socket.destroy()
      await until(async () => (await curl(node.host, relay).catch(() => '')) === 'home')
      expect(await relay.stop()).toBe(0)
    } finally {
      for (const socket of silent) socket.destroy()
      node.stop()
      await relay.stop()
      relay.remove()
    }
  },
)

describe('gatectl relay', () => {
  let relay: RelayProgram
  beforeAll(async () => {
    relay = await startRelayProgram({ RELAY__INVITE__REQUIRED: 'true' })
  })
  afterAll(async () => {
    await relay.stop()
    relay.remove()
  })
  const relayCommand = (...args: readonly string[]) => gatectl(['relay', ...args, '--socket', relay.adminSocket])

  test('shows the relay, its nodes and their names; gives, takes and lists names', async () => {
    expect(await relayCommand('nodes')).toMatchObject({ code: 0, stdout: 'no node has a tunnel to this relay\n' })
    const node = await startAnsweringNode(relay, 'home')
    expect((await relayCommand('nodes')).stdout).toContain(node.id)
    expect(await relayCommand('claim', 'given', node.id)).toMatchObject({
      code: 0,
      stdout: `given belongs to ${node.id} now\nits gateway takes visitors of given only where its own relay.custom_domain has that name\n`,
    })
    expect(await node.hear('names')).toMatchObject({ names: expect.arrayContaining([`given.${DOMAIN}`]) })
    expect(await curl(`given.${DOMAIN}`, relay)).toBe('home')
    expect((await relayCommand('names')).stdout).toMatch(new RegExp(`^given.${DOMAIN} +${node.id} `, 'm'))
    expect((await relayCommand('status', '--instance', 'default')).stdout).toContain(
      '1 by 1 tunnels, 0 visitors, 1 names',
    )
    expect(await relayCommand('claim', 'www', node.id)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^gatectl: the relay answered reserved: people take this name for/),
    })
    const refused = await relayCommand('claim', 'www', node.id, '--json')
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(JSON.parse(refused.stderr)).toMatchObject({
      code: 'RELAY_REFUSED',
      detail: expect.stringContaining('reserved'),
    })
    expect(await relayCommand('claim', 'x', 'nobody')).toMatchObject({ code: 1, stderr: expect.stringContaining('id') })
    expect(await relayCommand('release', 'given')).toMatchObject({ code: 0 })
    expect(await relayCommand('release', 'given')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not-found: no node has the name'),
    })
    await expect(curl(`given.${DOMAIN}`, relay)).rejects.toThrow()
    node.stop()
  })

  test('shows a key that two daemons take turns with', async () => {
    const identity = await ed25519Identity()
    const nodes: TestNode[] = []
    for (const instanceId of ['one', 'another', 'one']) {
      expect((await relayCommand('nodes')).stdout).not.toContain('two daemons')
      nodes.push(await startNode({ port: relay.port, identity, hello: { instanceId } }))
    }
    expect((await relayCommand('nodes')).stdout).toContain(`the key of ${identity.id} is used by two daemons`)
    for (const node of nodes) node.stop()
  })

  test('an invite is made, shown once, counted and used', async () => {
    const made = await relayCommand('invite', '--uses', '1', '--days', '2', '--note', 'for a friend')
    const invite = /^gri_[\w-]+$/m.exec(made.stdout)?.[0] ?? ''
    expect((await relayCommand('invite', '--list')).stdout).toMatch(/ 1 .*for a friend/)
    expect((await relayCommand('invite', '--list')).stdout).not.toContain(invite)
    const node = await startAnsweringNode(relay, 'home')
    expect(await claim(node, 'friend')).toMatchObject({ result: 'invite-needed' })
    expect(await claim(node, 'friend', { invite })).toMatchObject({ result: 'ok' })
    expect(await claim(node, 'another', { invite })).toMatchObject({ result: 'invite-refused' })
    expect((await relayCommand('invite', '--list')).stdout).toBe('no invite is open\n')
    expect(await relayCommand('invite', '--uses', 'many')).toMatchObject({ code: 2 })
    node.stop()
  })

  test('says where it looked when there is no relay', async () => {
    const { code, stderr } = await gatectl(['relay', 'status', '--instance', 'elsewhere'])
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /no gate-relay answers at \/run\/gate-relay\/elsewhere\/admin\.sock or \S+\/gate\/relay-elsewhere\/admin\.sock/,
    )
    expect(stderr).toContain('systemctl start gate-relay@elsewhere (as a service), or gate-relay --instance elsewhere')
  })

  test('finds a relay that this user started by hand, by its instance alone', async () => {
    const state = temporaryDirectory()
    const env = { XDG_STATE_HOME: state.path }
    const own = await startRelayProgram(env, join(state.path, 'gate', 'relay-default'))
    try {
      const { code, stdout } = await gatectl(['relay', 'status', '--instance', 'default'], { env })
      expect(code).toBe(0)
      expect(stdout).toContain(`relay.${DOMAIN} (default)`)
    } finally {
      await own.stop()
      state.remove()
    }
  })
})

describe.skipIf(!hasEtcd)('two relays of one domain, with etcd', () => {
  let etcd: Etcd
  let relays: readonly [RelayProgram, RelayProgram]
  beforeAll(async () => {
    etcd = await startEtcd()
    const env = { RELAY__REGISTRY__KIND: 'etcd', RELAY__REGISTRY__ENDPOINTS: etcd.endpoint }
    relays = await Promise.all([startRelayProgram(env), startRelayProgram(env)])
  })
  afterAll(async () => {
    for (const relay of relays) {
      await relay.stop()
      relay.remove()
    }
    await etcd.remove()
  })

  test('of two nodes that claim one name at both relays at once, one has it, and is reached through both', async () => {
    const [a, b] = relays
    const nodes = [await startAnsweringNode(a, 'at a'), await startAnsweringNode(b, 'at b')] as const
    const answers = await Promise.all(nodes.map((node) => claim(node, 'contested')))
    expect(answers.map(({ result }) => result).sort()).toEqual(['ok', 'taken'])
    const expected = answers[0]?.result === 'ok' ? 'at a' : 'at b'
    const host = `contested.${DOMAIN}`
    await until(
      async () => (await b.ask('GET /names')).names.length === 1 && (await a.ask('GET /names')).names.length === 1,
    )
    await until(async () => (await curl(host, a).catch(() => '')) === expected)
    await until(async () => (await curl(host, b).catch(() => '')) === expected)
    for (const node of nodes) node.stop()
  })

  test('a relay that writes routes of nodes to itself gets no visitors of nodes that never came to it', async () => {
    const [a, b] = relays
    const node = await startAnsweringNode(a, 'home')
    const thief = await startThief()
    const gateway = openEtcdGateway({ endpoints: [etcd.endpoint] })
    const write = async (key: string, value: object) =>
      await gateway.call('kv/put', {
        key: encoded(`/gate-relay/${DOMAIN}/${key}`),
        value: encoded(JSON.stringify(value)),
      })
    const say = (proof: RouteProof) => write(`route/${node.id}/${thief.id}/t`, proof)
    const own = nodeKeys()
    const signed = (expiresAtMs: number) => ({
      key: node.spki.toString('base64url'),
      expiresAtMs,
      signature: node.sign(routeBytes({ nodeId: node.id, relayId: thief.id, tunnelId: 't' }, expiresAtMs)),
    })
    await write(`relay/${thief.id}`, { address: thief.address })
    await until(async () => (await b.ask('GET /status')).relays.some(({ id }) => id === thief.id))
    await until(async () => (await curl(node.host, b).catch(() => '')) === 'home')
    for (const proof of [
      own.route(thief.id, 't', Date.now() + 60_000),
      { ...signed(1), expiresAtMs: Date.now() + 60_000 },
    ]) {
      await say(proof)
      await until(async () => (await curl(node.host, b)) === 'home' && /a relay announces tunnels/.test(b.output()))
    }
    expect(thief.visitors()).toBe(0)
    // what the node itself signs is believed at once
    await say(signed(Date.now() + 60_000))
    await until(async () => (await curl(node.host, b).catch(() => 'stolen')) === 'stolen' && thief.visitors() > 0)
    for (const key of [`relay/${thief.id}`, `route/${node.id}/${thief.id}/t`])
      await gateway.call('kv/deleterange', { key: encoded(`/gate-relay/${DOMAIN}/${key}`) })
    gateway.close()
    thief.stop()
    node.stop()
  })

  test('a relay that stops is reached until the other relays and its nodes know, and is then not named any more', async () => {
    const [a] = relays
    const leaving = await startRelayProgram({
      RELAY__REGISTRY__KIND: 'etcd',
      RELAY__REGISTRY__ENDPOINTS: etcd.endpoint,
      RELAY__LIMITS__DRAIN_TIMEOUT: '3s',
    })
    const node = await startAnsweringNode(leaving, 'home')
    try {
      await until(async () => (await a.ask('GET /status')).relays.length === 3)
      const stopped = leaving.stop()
      await node.hear('drain')
      expect(await curl(node.host, leaving)).toBe('home')
      expect(await stopped).toBe(0)
      await until(async () => (await a.ask('GET /status')).relays.length === 2)
    } finally {
      node.stop()
      leaving.remove()
    }
  })

  test('two instances of one host serve one domain, each with ports, state and a socket of its own', async () => {
    const home = temporaryDirectory()
    const environment = (instance: string) => ({
      XDG_STATE_HOME: home.path,
      RELAY_INSTANCE: instance,
      RELAY__REGISTRY__KIND: 'etcd',
      RELAY__REGISTRY__ENDPOINTS: etcd.endpoint,
    })
    const instances = ['one', 'two'] as const
    const [one, two] = await Promise.all(
      instances.map((name) => startRelayProgram(environment(name), home.file(`gate/relay-${name}`))),
    )
    if (one === undefined || two === undefined) return expect.unreachable()
    const [at, beside] = [await one.ask('GET /status'), await two.ask('GET /status')]
    expect([at.instance, beside.instance]).toEqual(instances)
    expect([at.domain, beside.domain]).toEqual([DOMAIN, DOMAIN])
    expect(new Set([at.id, beside.id, at.pin, beside.pin, ...at.listening, ...beside.listening]).size).toBe(8)
    const node = await startAnsweringNode(one, 'home')
    expect(await claim(node, 'shared')).toMatchObject({ result: 'ok' })
    await until(async () => (await curl(`shared.${DOMAIN}`, two).catch(() => '')) === 'home')
    expect((await gatectl(['relay', 'nodes', '--socket', one.adminSocket])).stdout).toContain(node.id)
    expect((await gatectl(['relay', 'nodes', '--socket', two.adminSocket])).stdout).not.toContain(node.id)

    const again = gateRelay([], { ...environment('one'), RELAY__HTTPS_PORT: '0', RELAY__P2P_PORT: '0' })
    expect(again).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('gate/relay-one: the state directory is in use'),
    })
    node.stop()
    await until(async () => (await one.ask('GET /nodes')).tunnels.length === 0)
    expect(await one.stop()).toBe(0)
    expect(await two.ask('GET /status')).toMatchObject({ instance: 'two', registry: { state: 'live' } })
    await two.stop()
    home.remove()
    return undefined
  })

  test('while etcd is lost, names and tunnels go on; a relay that is killed is not missed', async () => {
    const [a, b] = relays
    const first = await startAnsweringNode(a, 'home')
    const second = await startAnsweringNode(b, 'home', first.identity)
    expect(await claim(first, 'sturdy')).toMatchObject({ result: 'ok' })
    const host = `sturdy.${DOMAIN}`
    await until(async () => (await curl(host, b).catch(() => '')) === 'home')
    await etcd.kill()
    await until(async () => (await b.ask('GET /status')).registry.state === 'lost')
    expect(await curl(host, a)).toBe('home')
    expect(await curl(host, b)).toBe('home')
    expect(await claim(second, 'new')).toMatchObject({ result: 'unavailable' })
    await a.kill()
    expect(await curl(host, b)).toBe('home')
    first.stop()
    second.stop()
    await etcd.start()
  })
})

/** A relay that takes whatever other relays send to it, and leads it nowhere. */
async function startThief() {
  const { key, cert, id } = await ed25519Identity()
  let visitors = 0
  const server = createServer({ key, cert, requestCert: true, rejectUnauthorized: false, ALPNProtocols: [HOP_ALPN] })
  server.on('tlsClientError', () => {})
  server.on('secureConnection', (socket) => {
    const session = performServerHandshake(socket)
    session.on('error', () => {})
    session.on('stream', (stream) => {
      visitors += 1
      stream.on('error', () => {})
      stream.respond({ ':status': 200 }, { endStream: true })
    })
    stopped.then(
      () => session.destroy(),
      () => {},
    )
  })
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    id,
    address: `127.0.0.1:${portOf(server)}`,
    visitors: () => visitors,
    stop() {
      stop()
      server.close()
    },
  }
}
