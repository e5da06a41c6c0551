import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { hasFaketime, settableClock } from '../support/clock.ts'
import { until } from '../support/daemon.ts'
import { isLong, sampled } from '../support/effort.ts'
import { canMount, fill, mountSmall } from '../support/full-disk.ts'
import { hasPebble, type Pebble, startPebble } from '../support/pebble.ts'
import { cpuSeconds } from '../support/process-cost.ts'
import { hasProgram } from '../support/programs.ts'
import { DOMAIN, type TestRelay } from '../support/relay.ts'
import { claim, curl, type RelayProgram, startAnsweringNode, startRelayProgram } from '../support/relay-program.ts'
import { type RelayedDaemon, startFleet, startRelayedDaemon } from '../support/relayed-daemon.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const each of undo.splice(0).reverse()) await each()
})

async function relayProgram(...options: Parameters<typeof startRelayProgram>): Promise<RelayProgram> {
  const relay = await startRelayProgram(...options)
  undo.push(async () => {
    await relay.kill()
    relay.remove()
  })
  return relay
}

/** The real daemon behind a relay that is a program. */
async function homeOf(relay: RelayProgram, env: Readonly<Record<string, string>> = {}): Promise<RelayedDaemon> {
  const { pin } = await relay.ask('GET /status')
  return home({ relays: [relay], pin }, env)
}

async function home(...options: Parameters<typeof startRelayedDaemon>): Promise<RelayedDaemon> {
  const gate = await startRelayedDaemon(...options)
  undo.push(async () => {
    gate.process.kill('SIGCONT')
    await gate.kill()
    gate.remove()
  })
  return gate
}

async function health({ host, certFile }: RelayedDaemon, { port }: { readonly port: number }): Promise<string> {
  const options = ['-sS', '--max-time', '5', '--cacert', certFile, '--resolve', `${host}:${port}:127.0.0.1`]
  return (await promisify(execFile)('curl', [...options, `https://${host}:${port}/health`])).stdout
}

/** Certificates by ACME through the tunnel, and none from files. */
const acme = ({ directory, caFile }: Pebble) => ({
  GATE_TLS__FILES__CERT: '',
  GATE_TLS__FILES__KEY: '',
  GATE_TLS__HTTPS_PORT: '',
  GATE_TLS__ACME__DIRECTORY: directory,
  GATE_TLS__ACME__CA: caFile,
})

/** Whether the daemon has looked so often whether certificates are due, which it does each 30 s. */
function rounds(count: number): () => boolean {
  const from = performance.now()
  return () => performance.now() - from > (count + 0.2) * 30_000
}

const VISITORS = sampled(8, 20)
const OK = '{"status":"ok"}'
const withCurl = test.skipIf(!hasProgram('curl'))

withCurl('a home that stops without a word is missed after three pings, and is back when it goes on', async () => {
  const fleet = isLong ? undefined : await startFleet(1, { pingEveryMs: 200 })
  if (fleet !== undefined) undo.push(fleet.stop)
  const program = fleet === undefined ? await relayProgram() : undefined
  const gate = await (fleet === undefined ? homeOf(program as RelayProgram) : home(fleet))
  const relay = (program ?? fleet?.relays[0]) as RelayProgram | TestRelay
  const tunnels = async () =>
    'ask' in relay ? (await relay.ask('GET /nodes')).tunnels.length : relay.relay.status().length
  expect(await health(gate, relay)).toBe(OK)
  gate.process.kill('SIGSTOP')
  await until(async () => (await tunnels()) === 0, isLong ? 46_000 : 2_000)
  await expect(health(gate, relay)).rejects.toThrow(/alert internal error/)
  gate.process.kill('SIGCONT')
  await until(async () => (await tunnels()) > 0, 40_000)
  await until(async () => (await health(gate, relay).catch(() => '')) === OK)
})

test.skipIf(!hasFaketime)(
  'a clock that is set, far ahead and far back, ends no tunnel and turns no visitor away',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gate-clock-'))
    undo.push(() => rmSync(folder, { recursive: true, force: true }))
    const clock = settableClock(join(folder, 'offset'))
    const relay = await relayProgram(clock.env)
    const pebble = isLong && hasPebble ? await startPebble({ tlsPort: relay.port }) : undefined
    if (pebble !== undefined) undo.push(pebble.remove)
    const gate = await homeOf(relay, { ...clock.env, ...(pebble && acme(pebble)) })
    const issued = () => gate.output().split('"certificate issued"').length - 1
    if (pebble !== undefined) {
      await until(() => issued() === 1, 30_000)
      writeFileSync(gate.certFile, await pebble.issuer())
    }
    const tunnel = async () => (await relay.ask('GET /nodes')).tunnels.map(({ tunnelId }) => tunnelId)
    await until(async () => (await tunnel()).length === 2)
    const before = await tunnel()
    const pids = [relay.pid, gate.process.pid ?? 0]
    const used = () => pids.map(cpuSeconds)
    const costOf = async (visitors: number) => {
      const at = used()
      for (let i = 0; i < visitors; i += 1) expect(await health(gate, relay)).toBe(OK)
      return used().map((seconds, one) => seconds - (at[one] ?? 0))
    }
    const usual = await costOf(VISITORS)
    for (const [offset, year] of [
      ['+3650d', new Date(Date.now() + 3_650 * 86_400_000).getUTCFullYear()],
      ['-7300d', new Date(Date.now() - 7_300 * 86_400_000).getUTCFullYear()],
      ['+0', new Date().getUTCFullYear()],
    ] as const) {
      clock.set(offset)
      // what it writes next shows that it has seen its clock
      await until(async () => {
        const node = await startAnsweringNode(relay, 'x')
        node.stop()
        return relay.output().includes(`"time":"${year}-`)
      })
      if (pebble !== undefined) await until(rounds(2), 90_000)
      const cost = await costOf(VISITORS)
      for (const [one, seconds] of cost.entries()) expect(seconds).toBeLessThan(3 * (usual[one] ?? 0) + 1)
      expect(await tunnel()).toEqual(before)
    }
    expect(issued()).toBeLessThanOrEqual(2)
  },
)

test.skipIf(!canMount)(
  'a relay whose disk is full gives no name and says so, goes on, and gives names again',
  async () => {
    const state = mkdtempSync(join(tmpdir(), 'gate-relay-'))
    undo.push(() => rmSync(state, { recursive: true, force: true }), mountSmall(state))
    const relay = await startRelayProgram({}, state)
    undo.push(relay.kill)
    const node = await startAnsweringNode(relay, 'home')
    expect(await claim(node, 'before')).toMatchObject({ result: 'ok' })
    const filler = fill(state)
    expect(await claim(node, 'during')).toMatchObject({ result: 'unavailable' })
    expect(relay.output()).toMatch(/"level":"(?:warn|error)".*ENOSPC/)
    for (const name of ['before', node.id]) expect(await curl(`${name}.${DOMAIN}`, relay)).toBe('home')
    const other = await startAnsweringNode(relay, 'other')
    expect(await curl(other.host, relay)).toBe('other')
    rmSync(filler)
    expect(await claim(node, 'after')).toMatchObject({ result: 'ok' })
    node.stop()
    other.stop()
    await relay.kill()
    const again = await startRelayProgram({}, state)
    undo.push(again.kill)
    expect((await again.ask('GET /names')).names.map(({ host }) => host)).toEqual([
      `after.${DOMAIN}`,
      `before.${DOMAIN}`,
    ])
  },
)

withCurl(
  'visitors beyond what a relay may have open take nothing down, and cost nothing once they are there',
  async () => {
    const relay = await relayProgram({ RELAY__LIMITS__BURST_PER_ADDRESS: '10000' }, undefined, undefined, undefined, 90)
    const node = await startAnsweringNode(relay, 'home')
    const sockets: Socket[] = []
    for (let i = 0; i < 200; i += 1) {
      const socket = connect(relay.port, '127.0.0.1')
      socket.on('error', () => {})
      sockets.push(socket)
    }
    await Promise.all(sockets.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')])))
    const before = cpuSeconds(relay.pid)
    const from = performance.now()
    await until(() => performance.now() - from > 1_500) // in which one that spins would use as much
    expect(cpuSeconds(relay.pid) - before).toBeLessThan(0.75)
    for (const socket of sockets) socket.destroy()
    await until(async () => (await curl(node.host, relay).catch(() => '')) === 'home')
    expect((await relay.ask('GET /nodes')).tunnels).toHaveLength(1)
    node.stop()
  },
)
