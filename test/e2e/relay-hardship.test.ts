import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { until } from '../support/daemon.ts'
import { sampled } from '../support/effort.ts'
import { makeIdentity } from '../support/identities.ts'
import { ed25519Identity, portOf, startNode, startRelay, type TakeVisitor } from '../support/relay.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { helloMaker, visit } from '../support/visitor.ts'

const SLOW = sampled(1_500, 5_000)
const NODES = sampled(200, 1_000)
const CANARY = 'canary-4c1f9d-of-a-prompt'

const echo: TakeVisitor = (stream) => {
  stream.respond({ ':status': 200 })
  stream.pipe(stream)
}

test('what visitors and homes say to each other is not in the memory of the relay, nor in its log', async () => {
  const folder = temporaryDirectory()
  const child = spawn(
    process.execPath,
    ['--heapsnapshot-signal=SIGUSR2', join(import.meta.dirname, '../support/relay-child.ts')],
    { cwd: folder.path, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const site = createServer({})
  try {
    await until(() => /^port \d+$/m.test(output))
    const port = Number(/^port (\d+)$/m.exec(output)?.[1])
    const identity = await ed25519Identity()
    site.setSecureContext(makeIdentity([`${identity.id}.relay.test`]))
    const bodies: string[] = []
    site.on('request', (request, response) => {
      void text(request).then((body) => {
        bodies.push(body)
        response.end(`answer ${CANARY}`)
      })
    })
    site.listen(0, '127.0.0.1')
    await once(site, 'listening')
    const node = await startNode({ port, identity, take: toSite(portOf(site)) })
    const { stdout } = await promisify(execFile)('curl', [
      '-sk',
      ...['--resolve', `${node.host}:${port}:127.0.0.1`],
      ...['--data', `question ${CANARY}`, '-H', `x-secret: ${CANARY}`],
      `https://${node.host}:${port}/${CANARY}`,
    ])
    expect([stdout, bodies]).toEqual([`answer ${CANARY}`, [`question ${CANARY}`]])
    child.kill('SIGUSR2')
    const snapshot = () => readdirSync(folder.path).find((name) => name.endsWith('.heapsnapshot'))
    const written = () => readFileSync(join(folder.path, snapshot() ?? ''), 'latin1')
    await until(() => snapshot() !== undefined && written().endsWith(']}') === true)
    expect(written()).toContain(node.id) // so what it knows can be found there
    expect(written()).not.toContain(CANARY)
    node.stop()
    child.kill('SIGTERM')
    await once(child, 'close')
    expect(output).toContain('gate_relay_visitors_total 1')
    expect(output).not.toContain(CANARY)
  } finally {
    child.kill('SIGKILL')
    site.close()
    folder.remove()
  }
})

const toSite =
  (port: number): TakeVisitor =>
  (stream) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    socket.on('error', () => stream.close(8))
    stream.respond({ ':status': 200 })
    stream.pipe(socket).pipe(stream)
  }

test(`${SLOW} visitors that say one byte after the other keep nobody out`, async () => {
  const relay = await startRelay()
  const node = await startNode({ port: relay.port, take: echo })
  const bytes = (await helloMaker())(node.host)
  const slow: Socket[] = []
  try {
    for (let i = 0; i < SLOW; i += 1) {
      const from = `127.0.${1 + (i >> 7)}.${1 + (i & 127)}`
      const { socket } = await visit(relay.port, bytes.subarray(0, 1), { from })
      slow.push(socket)
      if (i % 50 === 0) for (const each of slow) if (each.writable) each.write(bytes.subarray(1, 2))
      if (i % 100 !== 99) continue
      const visitor = await visit(relay.port, bytes)
      expect((await visitor.receive(bytes.length)).equals(bytes)).toBe(true)
      visitor.socket.destroy()
    }
    const unparsed = Number(/^gate_relay_unparsed (\d+)$/m.exec(relay.relay.metrics())?.[1])
    expect(unparsed).toBeLessThanOrEqual(1_024)
    const refused = (reason: string) =>
      Number(
        new RegExp(`^gate_relay_refused_total\\{reason="${reason}"\\} (\\d+)$`, 'm').exec(relay.relay.metrics())?.[1],
      )
    expect(refused('evicted') + refused('slow') + refused('not-tls')).toBeGreaterThanOrEqual(SLOW - 1_024)
  } finally {
    for (const socket of slow) socket.destroy()
    node.stop()
    await relay.stop()
  }
})

test(`${NODES} nodes are asked to go at times of their own, and all come back to a relay that has started again`, async () => {
  const first = await startRelay()
  const identities = await Promise.all(Array.from({ length: NODES }, () => ed25519Identity()))
  const join = (port: number) => Promise.all(identities.map((identity) => startNode({ port, identity, take: echo })))
  const nodes = await join(first.port)
  await first.relay.drain()
  const waits = await Promise.all(
    nodes.map((node) => node.hear('drain').then(({ reconnectAfterMs }) => reconnectAfterMs)),
  )
  const perSecond = Array.from({ length: 10 }, (_, i) => waits.filter((ms) => Math.floor(ms / 1_000) === i).length)
  expect(Math.max(...perSecond)).toBeLessThan(NODES / 4)
  await first.stop()
  await Promise.all(nodes.map(({ closed }) => closed))
  const again = await startRelay({ port: first.port })
  try {
    const back = await join(again.port)
    expect(again.relay.status()).toHaveLength(NODES)
    const hello = await helloMaker()
    for (const node of [back[0], back.at(-1)]) {
      const bytes = hello(node?.host ?? '')
      const visitor = await visit(again.port, bytes)
      await visitor.receive(bytes.length)
      visitor.socket.destroy()
    }
    for (const node of back) node.stop()
  } finally {
    await again.stop()
  }
})
