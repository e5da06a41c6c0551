import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHttpsLayer } from '../../../../daemon/listener/https.ts'
import { upToConnections } from '../../../support/client-connections.ts'
import { makeIdentity, swappableIdentities } from '../../../support/identities.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

let layer: ReturnType<typeof createHttpsLayer>
let place: ReturnType<typeof temporaryDirectory>
beforeAll(() => {
  place = temporaryDirectory()
  layer = createHttpsLayer({
    identities: swappableIdentities([makeIdentity(['ai.example.org'])]).identities,
    answering: { handle: async () => {}, errorBody: () => '' },
    limits: { headersTimeoutMs: 5_000, bodyTimeoutMs: 5_000, connections: upToConnections(100) },
    hstsSeconds: () => 3_600,
    noteHandshake: () => {},
    random: randomBytes,
    now: () => performance.now(),
    log: () => {},
  })
})
afterAll(() => {
  layer.close()
  place.remove()
})

test('connections over a Unix socket, which have no addresses, are told apart', async () => {
  let accepted = 0
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    layer.accept(socket, { peer: `client ${accepted++}`, secured: null }, (secured, { peer }) => {
      secured.on('error', () => {}).end(`${peer}`)
    })
  })
  server.listen(place.file('socket'))
  await once(server, 'listening')
  const clients = Array.from({ length: 20 }, () => connect({ path: place.file('socket'), rejectUnauthorized: false }))
  const heard = await Promise.all(clients.map((client) => text(client).catch(String)))
  expect(heard).toEqual(clients.map((_, at) => `client ${at}`))
  server.close()
})

test.each([
  { host: 'ai.example.org', has: true },
  { host: 'AI.example.org.:8443', has: true },
  { host: '127.0.0.1', has: false },
  { host: '[::1]:8443', has: false },
  { host: 'localhost', has: false },
  { host: 'LOCALHOST.:8443', has: false },
  { host: 'chat.localhost', has: false },
  { host: 'notlocalhost', has: true },
])('an answer for $host has a policy of HSTS: $has', ({ host, has }) => {
  const via = { peer: '192.0.2.7', secured: { isFor: () => true } }
  expect(layer.headersFor(host, via)).toEqual(has ? ['strict-transport-security', 'max-age=3600'] : [])
})
