import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openNodeKey } from '../../daemon/relay/client/node-key.ts'
import { nodeIdOf } from '../../daemon/relay/protocol.ts'
import { type CalledChild, startCalledChild } from './child-calls.ts'
import type { Clients, Place } from './client-child.ts'
import { type Daemon, startDaemon, until } from './daemon.ts'
import { type Etcd, hasEtcd, startEtcd } from './etcd.ts'
import type { Home } from './home-child.ts'
import { makeIdentity } from './identities.ts'
import { hasNetns, inNetns, layCables } from './netns.ts'
import { end, says } from './pebble.ts'
import { hasProgram } from './programs.ts'
import { DOMAIN, ed25519Identity } from './relay.ts'
import { type RelayProgram, startRelayProgram } from './relay-program.ts'

export const canLayNetworks = hasNetns() && hasProgram('curl') && hasProgram('dnsmasq') && hasEtcd

const NAMES = ['client', 'relay-a', 'relay-b', 'home', 'registry'].map((name) => `gt${process.pid % 10_000}-${name}`)
const [CLIENT = '', RELAY_A = '', RELAY_B = '', HOME = '', REGISTRY = ''] = NAMES
/** Network namespaces by what is in them. */
export const NETNS = { client: CLIENT, a: RELAY_A, b: RELAY_B, home: HOME } as const
/** Of the relays, as the client sees them. */
export const AT = { a: 'fd99:1::1', b: 'fd99:2::1' } as const
export type At = keyof typeof AT
/** Visitors of this name are passed on to the plain home by the gateway. */
export const PASSED = 'files.custom.test'
/** How each of the two homes is named; `ai` and `plain` are the gateway and one that is none. */
export type Names = { readonly key: string; readonly claimed: string; readonly custom: string }

/** A client with IPv6 alone, homes with IPv4 alone that nothing can dial, and two relays with one registry in between. */
export type RelayNetworks = {
  readonly relays: Readonly<Record<At, RelayProgram>>
  readonly etcd: Etcd
  readonly gate: Daemon
  readonly gateNames: Names
  /** Serves TLS by itself, see home-child.ts. */
  readonly plain: CalledChild<Home>
  readonly plainNames: Names
  readonly clients: CalledChild<Clients>
  readonly file: (name: string) => string
  readonly placeOf: (name: string, at: At) => Place
  /** What curl of the client gets from a name at a relay. */
  readonly curl: (name: string, at: At, path: string, ...args: readonly string[]) => Promise<string>
  /** The same with what goes in and comes out piped by a shell, such as `seq 9 |` and `| sha256sum`. */
  readonly curlPiped: (
    name: string,
    at: At,
    path: string,
    before: string,
    options: string,
    after: string,
  ) => Promise<string>
  readonly stop: () => Promise<void>
}

/** @param env of the gateway, beside what makes it reachable */
export async function layRelayNetworks(env: (file: (name: string) => string) => Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), 'gate-networks-'))
  const file = (name: string) => join(folder, name)
  const undo: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })]
  const stop = async () => {
    for (const each of undo.splice(0).reverse()) await each()
  }
  try {
    return { ...(await lay(file, env(file), undo)), stop } satisfies RelayNetworks
  } catch (error) {
    await stop()
    throw error
  }
}

async function lay(file: (name: string) => string, env: Readonly<Record<string, string>>, undo: (() => unknown)[]) {
  undo.push(
    layCables(NAMES, [
      [HOME, '10.99.1.2/24', RELAY_A, '10.99.1.1/24'],
      [HOME, '10.99.2.2/24', RELAY_B, '10.99.2.1/24'],
      [CLIENT, 'fd99:1::2/64', RELAY_A, 'fd99:1::1/64'],
      [CLIENT, 'fd99:2::2/64', RELAY_B, 'fd99:2::1/64'],
      [REGISTRY, '10.99.3.1/24', RELAY_A, '10.99.3.2/24'],
      [REGISTRY, '10.99.4.1/24', RELAY_B, '10.99.4.2/24'],
      [RELAY_A, '10.99.5.1/24', RELAY_B, '10.99.5.2/24'],
    ]),
  )
  const state = file('state')
  const gateNames = namesOf(nodeIdOf(openNodeKey(state).spki), 'myserver', 'ai.custom.test')
  const identity = await ed25519Identity()
  const plainNames = namesOf(identity.id, 'plain', 'plain.custom.test')
  const pem = makeIdentity([...Object.values(gateNames), ...Object.values(plainNames), PASSED])
  writeFileSync(file('cert.pem'), pem.cert)
  writeFileSync(file('key.pem'), pem.key)
  undo.push(
    await startNameServer({
      [gateNames.custom]: gateNames.key,
      [PASSED]: gateNames.key,
      [plainNames.custom]: plainNames.key,
    }),
  )
  const etcd = await startEtcd({ netns: REGISTRY, host: '0.0.0.0' })
  undo.push(etcd.remove)
  const relays = await startRelays(etcd, undo)
  const plain = startCalledChild<Home>('home-child.ts', HOME)
  const clients = startCalledChild<Clients>('client-child.ts', CLIENT)
  undo.push(plain.stop, clients.stop)
  const dialled = ['10.99.1.1:31145', '10.99.2.1:31145']
  const port = await plain.call('listen', pem)
  const started = plain.call('start', identity, dialled, [plainNames.claimed, plainNames.custom])
  const pins = await Promise.all([relays.a, relays.b].map(async ({ ask }) => (await ask('GET /status')).pin))
  const own = {
    GATE_RELAY__ENABLE: 'true',
    GATE_RELAY__ADDRESSES: JSON.stringify(dialled),
    GATE_RELAY__PINS: JSON.stringify(pins),
    GATE_RELAY__DOMAIN: DOMAIN,
    GATE_RELAY__CUSTOM_DOMAIN: 'myserver',
    GATE_RELAY__NAMES: JSON.stringify([gateNames.custom]),
    GATE_RELAY__BACKENDS: JSON.stringify([{ names: [PASSED], address: `127.0.0.1:${port}`, proxy_protocol: 'off' }]),
    GATE_TLS__HOST: '127.0.0.1',
    GATE_TLS__HTTPS_PORT: '0',
    GATE_TLS__FILES__CERT: file('cert.pem'),
    GATE_TLS__FILES__KEY: file('key.pem'),
    ...env,
  }
  const gate = await startDaemon(own, state, undefined, undefined, undefined, HOME)
  undo.push(gate.stop)
  await started
  await until(async () => {
    const lists = await Promise.all([relays.a, relays.b].map(({ ask }) => ask('GET /nodes')))
    return lists.every(
      ({ tunnels }) =>
        tunnels.length === 2 &&
        tunnels.some(({ names }) => names.includes(PASSED)) &&
        tunnels.every(({ names }) => names.length >= 3),
    )
  }, 20_000)

  async function curl(name: string, at: At, path: string, ...args: readonly string[]): Promise<string> {
    const [program, before] = inNetns(CLIENT, 'curl')
    const own = ['-sS', '-6', '--max-time', '60', '--cacert', file('cert.pem'), '--resolve', `${name}:443:[${AT[at]}]`]
    const auth = ['-H', `authorization: Bearer ${gate.key}`, '-H', 'content-type: application/json']
    const { stdout } = await promisify(execFile)(program, [
      ...before,
      ...own,
      ...auth,
      ...args,
      `https://${name}${path}`,
    ])
    return stdout
  }
  async function curlPiped(name: string, at: At, path: string, before: string, options: string, after: string) {
    const own = `-sS -6 --max-time 300 --cacert ${file('cert.pem')} --resolve '${name}:443:[${AT[at]}]'`
    const command = `${before} ip netns exec ${CLIENT} curl ${own} ${options} https://${name}${path} ${after}`
    return (await promisify(execFile)('sh', ['-c', command])).stdout
  }
  const placeOf = (name: string, at: At): Place => ({ name, address: AT[at], ca: pem.cert })
  return { relays, etcd, gate, gateNames, plain, plainNames, clients, file, placeOf, curl, curlPiped }
}

const namesOf = (nodeId: string, label: string, custom: string): Names => ({
  key: `${nodeId}.${DOMAIN}`,
  claimed: `${label}.${DOMAIN}`,
  custom,
})

/** Serves the records that prove custom domains. @param proofs key-derived name by domain @returns how to stop it */
async function startNameServer(proofs: Readonly<Record<string, string>>): Promise<() => Promise<void>> {
  const records = Object.entries(proofs).map(
    ([host, key]) => `--txt-record=_gate-relay.${host},${key.slice(0, key.indexOf('.'))}`,
  )
  const [program, before] = inNetns(REGISTRY, 'dnsmasq')
  const options = ['--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--log-facility=-']
  const child = spawn(program, [...before, ...options, '--pid-file=', ...records])
  await says(child, /started/)
  return () => end(child)
}

async function startRelays(etcd: Etcd, undo: (() => unknown)[]): Promise<Readonly<Record<At, RelayProgram>>> {
  const start = async (netns: string, number: number) => {
    const registry = `10.99.${number + 2}.1`
    const env = {
      RELAY__HTTPS_PORT: '443',
      RELAY__P2P_PORT: '31145',
      RELAY__BIND_ADDRESS: '::',
      RELAY__PUBLIC_ADDRESS: `10.99.5.${number}:31145`,
      RELAY__REGISTRY__KIND: 'etcd',
      RELAY__REGISTRY__ENDPOINTS: etcd.endpoint.replace('0.0.0.0', registry),
      RELAY__LIMITS__BURST_PER_ADDRESS: '100000',
    }
    const relay = await startRelayProgram(env, undefined, netns, registry)
    undo.push(async () => {
      await relay.kill()
      relay.remove()
    })
    return relay
  }
  const [a, b] = await Promise.all([start(RELAY_A, 1), start(RELAY_B, 2)])
  return { a, b }
}
