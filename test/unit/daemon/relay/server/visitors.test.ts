import { afterEach, describe, expect, test } from 'vitest'
import { ed25519Identity, startNode, startRelay, type TakeVisitor, type TestRelay } from '../../../../support/relay.ts'
import { answerTo, helloMaker, type Visitor, visit } from '../../../../support/visitor.ts'

const started: { stop: () => unknown }[] = []
afterEach(async () => {
  for (const each of started.splice(0).reverse()) await each.stop()
})
const echo: TakeVisitor = (stream) => {
  stream.respond({ ':status': 200 })
  stream.pipe(stream)
}
const relayWith = async (options: Parameters<typeof startRelay>[0]): Promise<TestRelay> => {
  const relay = await startRelay(options)
  started.push(relay)
  return relay
}
/** A node that answers no visitor before it is told to. */
async function hesitantNode(relay: TestRelay) {
  const waiting: (() => void)[] = []
  const node = await startNode({
    port: relay.port,
    take: (stream, headers) => void waiting.push(() => !stream.closed && echo(stream, headers)),
  })
  started.push(node)
  return { node, hello: (await helloMaker())(node.host), waiting }
}
async function come(relay: TestRelay, bytes: Buffer): Promise<Visitor> {
  const visitor = await visit(relay.port, bytes)
  started.push({ stop: () => visitor.socket.destroy() })
  return visitor
}
const metric = (relay: TestRelay, name: string): number =>
  Number(new RegExp(`^${name.replace(/[{}]/g, '\\$&')} (\\d+)$`, 'm').exec(relay.relay.metrics())?.[1])

describe('a visitor whose home is looked for', () => {
  test('is one of those that the relay may have', async () => {
    const relay = await relayWith({ limited: { visitors: 2 } })
    const { hello, waiting } = await hesitantNode(relay)
    const first = await come(relay, hello)
    await come(relay, hello)
    await expect.poll(() => waiting).toHaveLength(2)
    expect(metric(relay, 'gate_relay_visitors')).toBe(2)
    expect(await answerTo(relay.port, hello)).toBe('alert 80')
    expect(metric(relay, 'gate_relay_refused_total{reason="visitor-limit"}')).toBe(1)
    waiting[0]?.()
    await first.receive(hello.length)
    first.socket.destroy()
    await expect.poll(() => metric(relay, 'gate_relay_visitors')).toBe(1)
    await come(relay, hello)
    await expect.poll(() => waiting).toHaveLength(3)
  })

  test('that resets its connection is counted no more', async () => {
    const relay = await relayWith({ limited: { streamsPerNode: 1 } })
    const { hello, waiting } = await hesitantNode(relay)
    const first = await come(relay, hello)
    await expect.poll(() => waiting).toHaveLength(1)
    first.socket.resetAndDestroy()
    await expect.poll(() => metric(relay, 'gate_relay_visitors')).toBe(0)
    expect(relay.relay.status()).toMatchObject([{ visitors: 0 }])
    await come(relay, hello)
    await expect.poll(() => waiting).toHaveLength(2)
  })

  test('is ended when all together hold too much', async () => {
    const relay = await relayWith({ limited: { bufferedBytes: 1_000_000 } })
    const { hello, waiting } = await hesitantNode(relay)
    const bytes = Buffer.concat([hello, Buffer.alloc(400_000)])
    const visitors = await Promise.all(Array.from({ length: 12 }, () => come(relay, bytes)))
    await expect.poll(() => waiting).toHaveLength(12)
    await expect.poll(() => metric(relay, 'gate_relay_ended_total{reason="shed"}')).toBeGreaterThan(0)
    await expect.poll(() => metric(relay, 'gate_relay_buffered_bytes')).toBeLessThan(1_000_000)
    expect(metric(relay, 'gate_relay_visitors')).toBeGreaterThan(0)
    expect(await Promise.race(visitors.map(({ closed }) => closed))).toBe('reset')
  })

  test('gives each tunnel a part of the time, and is told when none has taken it', async () => {
    const relay = await relayWith({ openingMs: 300 })
    const identity = await ed25519Identity()
    const offered: number[] = []
    for (const i of [0, 1, 2])
      started.push(await startNode({ port: relay.port, identity, take: () => void offered.push(i) }))
    const hello = (await helloMaker())(`${identity.id}.relay.test`)
    expect(await answerTo(relay.port, hello)).toBe('alert 80')
    expect(offered.toSorted()).toEqual([0, 1, 2])
    expect(metric(relay, 'gate_relay_refused_total{reason="offline"}')).toBe(1)
    started.push(await startNode({ port: relay.port, identity, take: echo }))
    const visitor = await come(relay, hello)
    expect((await visitor.receive(hello.length)).equals(hello)).toBe(true)
  })
})
