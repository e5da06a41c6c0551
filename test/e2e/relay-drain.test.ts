import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:http2'
import type { LookupFunction } from 'node:net'
import { text } from 'node:stream/consumers'
import { Agent, fetch } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../support/daemon.ts'
import { type Etcd, hasEtcd, startEtcd } from '../support/etcd.ts'
import { freePort } from '../support/programs.ts'
import { type RelayProgram, startRelayProgram } from '../support/relay-program.ts'
import { type RelayedDaemon, startRelayedDaemon } from '../support/relayed-daemon.ts'

const CLIENTS = 50
const ADDRESSES = ['127.0.0.2', '127.0.0.3'] as const

describe.skipIf(!hasEtcd)('a relay that is stopped while there is another (needs etcd)', () => {
  let etcd: Etcd
  let relays: readonly RelayProgram[]
  let gate: RelayedDaemon
  let port: number

  beforeAll(async () => {
    etcd = await startEtcd()
    port = await freePort()
    const p2p = await freePort()
    relays = await Promise.all(
      ADDRESSES.map((address) =>
        startRelayProgram({
          RELAY__BIND_ADDRESS: address,
          RELAY__HTTPS_PORT: String(port),
          RELAY__P2P_PORT: String(p2p),
          RELAY__REGISTRY__KIND: 'etcd',
          RELAY__REGISTRY__ENDPOINTS: etcd.endpoint,
          RELAY__LIMITS__BURST_PER_ADDRESS: '100000',
          RELAY__LIMITS__NEW_PER_ADDRESS_PER_SECOND: '100000',
          RELAY__LIMITS__DRAIN_TIMEOUT: '3s',
          RELAY__LIMITS__OPEN_PER_ADDRESS: '10000',
        }),
      ),
    )
    const pins = await Promise.all(relays.map(async ({ ask }) => (await ask('GET /status')).pin))
    gate = await startRelayedDaemon(
      { relays, pin: pins[0] ?? '' },
      {
        GATE_RELAY__PINS: JSON.stringify(pins),
        GATE_SERVER__MAX_CONNECTIONS_PER_ADDRESS: '100000',
        GATE_RELAY__ADDRESSES: JSON.stringify(ADDRESSES.map((address) => `${address}:${p2p}`)),
      },
    )
    await until(async () => {
      const lists = await Promise.all(relays.map(({ ask }) => ask('GET /nodes')))
      return lists.every(({ tunnels }) => tunnels.length > 0)
    })
  })
  afterAll(async () => {
    await gate?.stop()
    gate?.remove()
    for (const relay of relays ?? []) {
      await relay.kill()
      relay.remove()
    }
    await etcd?.remove()
  })

  test(`${CLIENTS} clients that ask all the time have every request answered`, async () => {
    const ca = readFileSync(gate.certFile, 'utf8')
    // names are led away from a relay that is not ready any more
    const listed = () => ADDRESSES.slice(relays[0]?.output().includes('"draining"') ? 1 : 0)
    const lookup: LookupFunction = (_name, _options, done) => {
      const all = listed()
      done(null, [{ address: all[Math.floor(Math.random() * all.length)] ?? '', family: 4 }])
    }
    // undici fails what is under way when it hears GOAWAY
    const newAgent = () => new Agent({ allowH2: false, connect: { ca, lookup } })
    const agents = { close: newAgent(), 'keep-alive': newAgent() }
    let [answered, isOver] = [0, false]
    const failures: string[] = []
    const ask = async (connection: keyof typeof agents) => {
      const headers = { authorization: `Bearer ${gate.key}`, connection }
      try {
        const answer = await fetch(`https://${gate.host}:${port}/v1/models`, {
          headers,
          dispatcher: agents[connection],
        })
        if (!(await answer.text()).includes('"echo"')) failures.push(String(answer.status))
        answered += 1
      } catch (error) {
        failures.push(String((error as Error).cause ?? error))
      }
    }
    const clients = Array.from({ length: CLIENTS }, async (_, at) => {
      while (!isOver) await ask(at % 2 === 0 ? 'close' : 'keep-alive')
    })
    await until(() => answered > 4 * CLIENTS)
    const toFirst: LookupFunction = (_name, _options, done) => done(null, [{ address: ADDRESSES[0], family: 4 }])
    const session = connect(`https://${gate.host}:${port}`, { ca, lookup: toFirst })
    const hasLeft = once(session, 'goaway')
    const overHttp2 = async () => {
      while (!session.closed && !session.destroyed) {
        const stream = session
          .request({ ':path': '/v1/models', authorization: `Bearer ${gate.key}` })
          .setEncoding('utf8')
        if (!(await text(stream)).includes('"echo"')) failures.push('over HTTP/2')
      }
    }
    const asking = overHttp2()
    const stopped = relays[0]?.stop()
    await hasLeft
    await asking
    expect(await stopped).toBe(0)
    const before = answered
    await until(() => answered > before + 4 * CLIENTS)
    isOver = true
    await Promise.all(clients)
    await Promise.all(Object.values(agents).map((agent) => agent.close()))
    expect(failures).toEqual([])
  })
})
