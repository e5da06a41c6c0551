import { once } from 'node:events'
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../support/daemon.ts'
import { type LiedTo, type LyingRelay, startLyingRelay } from '../support/lying-relay.ts'
import { type RelayedDaemon, startRelayedDaemon } from '../support/relayed-daemon.ts'

let relay: LyingRelay
let node: LiedTo

async function begin(env: Readonly<Record<string, string>>): Promise<RelayedDaemon> {
  const gate = await startRelayedDaemon({ relays: [{ nodesPort: relay.port }], pin: relay.pin }, env)
  const isReady = ({ session, heard }: LiedTo) => !session.destroyed && heard.some(({ type }) => type === 'route')
  await until(() => relay.nodes.some(isReady))
  const first = relay.nodes.find(isReady)
  if (first === undefined) throw new Error('it has dialled')
  node = first
  return gate
}

/** What a visitor is answered who comes, as the relay says, from `source`. */
async function asked(gate: RelayedDaemon, source: string, path: string, key = gate.key): Promise<number> {
  const stream = node.visit(gate.host, source)
  const socket = connect({ socket: stream, servername: gate.host, rejectUnauthorized: false })
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: ${gate.host}\r\nAuthorization: Bearer ${key}\r\nConnection: close\r\n\r\n`,
  )
  const [chunk] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return Number(/^HTTP\/1\.1 (\d+)/.exec(chunk.toString())?.[1])
}

const LENT = ['127.0.0.1', '::1', '192.168.7.7', '10.0.0.1', '100.64.0.1', '::ffff:192.168.7.7', 'fd00::1', '0.0.0.0']

beforeAll(async () => {
  relay = await startLyingRelay()
})
afterAll(() => relay.stop())

test('what a relay says of a visitor is an address of the Internet at most, and never an operator’s', async () => {
  const all = JSON.stringify(['0.0.0.0/0', '::/0'])
  const gate = await begin({ GATE_SERVER__ADMIN_ALLOW_FROM: all, GATE_SERVER__ALLOW_FROM: all })
  try {
    expect(await asked(gate, '192.0.2.9', '/v1/models')).toBe(200)
    expect(await asked(gate, '2001:db8::9', '/v1/models')).toBe(200)
    for (const source of LENT) expect([source, await asked(gate, source, '/v1/models')]).toEqual([source, 403])
    for (const source of ['192.0.2.9', ...LENT])
      expect([source, await asked(gate, source, '/api/admin/keys')]).toEqual([source, 403])
  } finally {
    await gate.stop()
    gate.remove()
  }
})

test('a key with addresses is not used from a private one that a relay says', async () => {
  const gate = await begin({})
  try {
    const made = await fetch(`${gate.url}/api/admin/keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gate.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        name: 'home',
        service: true,
        scopes: ['chat:write'],
        addresses: ['192.168.0.0/16', '192.0.2.0/24'],
      }),
    })
    expect(made.status).toBe(201)
    const { token } = (await made.json()) as { token: string }
    expect(await asked(gate, '192.0.2.9', '/v1/models', token)).toBe(200)
    expect(await asked(gate, '192.168.7.7', '/v1/models', token)).toBe(403)
    for (const source of LENT) expect(await asked(gate, source, '/v1/models')).toBe(200) // each with a right key
  } finally {
    await gate.stop()
    gate.remove()
  }
})
