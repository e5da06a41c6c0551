import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:https'
import { connect, type Socket } from 'node:net'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeIdentity } from '../support/identities.ts'
import { ed25519Identity, portOf, startNode, startRelay, type TestNode, type TestRelay } from '../support/relay.ts'

let relay: TestRelay
let node: TestNode
const site = createServer({})
beforeAll(async () => {
  relay = await startRelay()
  const identity = await ed25519Identity()
  const { key, cert } = makeIdentity([`${identity.id}.relay.test`])
  site.setSecureContext({ key, cert })
  site.on('request', (request, response) => response.end(`hello ${request.headers.host}`))
  site.listen(0, '127.0.0.1')
  await once(site, 'listening')
  node = await startNode({
    port: relay.port,
    identity,
    take(stream) {
      const socket: Socket = connect({ port: portOf(site), host: '127.0.0.1', allowHalfOpen: true })
      stream.respond({ ':status': 200 })
      stream.pipe(socket).pipe(stream)
      socket.on('error', () => stream.close(8))
    },
  })
})
afterAll(async () => {
  node?.stop()
  site.close()
  await relay?.stop()
})

test('curl reaches a node by the name of its key', async () => {
  const { stdout } = await promisify(execFile)('curl', [
    '-sk',
    '--resolve',
    `${node.host}:${relay.port}:127.0.0.1`,
    `https://${node.host}:${relay.port}/`,
  ])
  expect(stdout).toBe(`hello ${node.host}:${relay.port}`)
})
