import { afterEach, describe, expect, test } from 'vitest'
import { sampled } from '../../../../support/effort.ts'
import { below, createRandom, pick } from '../../../../support/fuzz.ts'
import {
  continuation,
  data,
  FLAG,
  frame,
  ping,
  reset,
  SETTING,
  settings,
  TYPE,
  windowUpdate,
} from '../../../../support/h2-frames.ts'
import {
  dialRaw,
  goAway,
  helloData,
  joinRaw,
  okHeaders,
  type RawNode,
  resetControl,
} from '../../../../support/raw-node.ts'
import { ed25519Identity, startNode, startRelay, type TakeVisitor, type TestRelay } from '../../../../support/relay.ts'
import { helloMaker, visit } from '../../../../support/visitor.ts'

const started: { stop: () => unknown }[] = []
afterEach(async () => {
  for (const each of started.splice(0).reverse()) await each.stop()
})
const relayWith = async (options: Parameters<typeof startRelay>[0] = {}): Promise<TestRelay> => {
  const relay = await startRelay(options)
  started.push(relay)
  return relay
}
const joined = async (...options: Parameters<typeof joinRaw>): Promise<RawNode> => {
  const node = await joinRaw(...options)
  started.push(node)
  return node
}
const echo: TakeVisitor = (stream) => {
  stream.respond({ ':status': 200 })
  stream.pipe(stream)
}
const metric = (relay: TestRelay, name: string): number =>
  Number(new RegExp(`^${name.replace(/[{}]/g, '\\$&')} (\\d+)$`, 'm').exec(relay.relay.metrics())?.[1])
const FUZZED = sampled(60, 1_000)
/** Longer than the last words that a relay waits for. */
const soon = { timeout: 4_000 }

/** Fills all that is between the relay and a node that does not read, so that the relay has something left to send. */
async function clog(relay: TestRelay, node: RawNode): Promise<void> {
  const hello = (await helloMaker())(node.host)
  const visitors = await Promise.all(Array.from({ length: 12 }, () => visit(relay.port, hello)))
  started.push({ stop: () => visitors.map(({ socket }) => socket.destroy()) })
  await expect.poll(() => metric(relay, 'gate_relay_visitors_total')).toBe(visitors.length)
  node.stall()
  for (const { socket } of visitors) socket.write(Buffer.alloc(2_000_000))
  await expect.poll(() => metric(relay, 'gate_relay_buffered_bytes'), soon).toBeGreaterThan(2_000_000)
}

describe('a node that keeps its connection whatever happens', () => {
  test.each([
    { what: 'says goodbye', act: (node: RawNode) => node.send(goAway()) },
    { what: 'says that something is wrong', act: (node: RawNode) => node.send(goAway(2)) },
    { what: 'ends the stream of messages', act: (node: RawNode) => node.send(resetControl(0)) },
    { what: 'says goodbye and resets the stream', act: (node: RawNode) => node.send(goAway(), resetControl()) },
    { what: 'sends a frame that is none', act: (node: RawNode) => node.send(Buffer.alloc(40, 0xff)) },
    { what: 'says what is no message', act: (node: RawNode) => node.send(dataOf('xx{{')) },
  ])('and $what loses its tunnel, and the connection soon after', async ({ act }) => {
    const relay = await relayWith()
    const node = await joined(relay.port)
    expect(relay.relay.status()).toHaveLength(1)
    act(node)
    await expect.poll(() => relay.relay.status(), soon).toEqual([])
    expect(metric(relay, 'gate_relay_tunnels')).toBe(0)
    await expect.poll(relay.open, soon).toBe(0)
  })

  test('and said goodbye before its hello gets no tunnel', async () => {
    const relay = await relayWith()
    const node = await dialRaw(relay.port)
    started.push(node)
    await node.see(TYPE.headers)
    node.send(goAway(), okHeaders(1), helloData())
    await expect.poll(relay.open, soon).toBe(0)
    expect(metric(relay, 'gate_relay_tunnels_total')).toBe(0)
  })

  test('and takes nothing from it is gone once it has answered no ping', async () => {
    const relay = await relayWith({ pingEveryMs: 400 })
    const node = await joined(relay.port)
    await clog(relay, node)
    await expect.poll(() => relay.relay.status(), soon).toEqual([])
    expect(metric(relay, 'gate_relay_tunnels_lost_total')).toBe(1)
    await expect.poll(relay.open, soon).toBe(0)
    expect(metric(relay, 'gate_relay_visitors')).toBe(0)
  })

  test('has no more tunnels than one key may have, and none that it has lost is offered visitors', async () => {
    const relay = await relayWith({ limited: { tunnelsPerNode: 2 } })
    const identity = await ed25519Identity()
    const first = await joined(relay.port, identity)
    await clog(relay, first)
    for (let i = 0; i < 3; i += 1) await joined(relay.port, identity)
    expect(metric(relay, 'gate_relay_tunnels')).toBe(2)
    expect(metric(relay, 'gate_relay_nodes')).toBe(1)
    expect(relay.relay.status()).toHaveLength(2)
  })
})

test('a node that says goodbye with visitors keeps them, and ends with the last', async () => {
  const relay = await relayWith({ pingEveryMs: 60 })
  const node = await startNode({
    port: relay.port,
    take: echo,
  })
  started.push(node)
  const bytes = (await helloMaker())(node.host)
  const visitor = await visit(relay.port, bytes)
  await visitor.receive(bytes.length)
  node.session.goaway()
  const other = await startNode({ port: relay.port })
  started.push(other)
  // longer than a node that answers nothing is waited for
  for (let pings = 0; pings < 5; pings += 1) {
    const before = rttOf(relay, other.id)
    await expect.poll(() => rttOf(relay, other.id)).not.toBe(before)
  }
  visitor.socket.write('more')
  await visitor.receive(bytes.length + 4)
  visitor.socket.destroy()
  await expect.poll(() => relay.relay.status().map(({ nodeId }) => nodeId)).toEqual([other.id])
})

const rttOf = (relay: TestRelay, id: string) => relay.relay.status().find(({ nodeId }) => nodeId === id)?.rttMs ?? null

test('of many connections that say no hello the oldest gives way', async () => {
  const relay = await relayWith({ limited: { unparsed: 3 } })
  const silent: RawNode[] = []
  for (let i = 0; i < 5; i += 1) silent.push(await dialRaw(relay.port))
  started.push(...silent)
  await expect.poll(() => metric(relay, 'gate_relay_tunnels_refused_total{reason="silent"}'), soon).toBe(2)
  await expect.poll(relay.open, soon).toBe(3)
})

test(`${FUZZED} nodes that send frames in whatever order take nothing down`, async () => {
  const relay = await relayWith({ pingEveryMs: 300 })
  const calm = await startNode({ port: relay.port, take: echo })
  started.push(calm)
  const failures: unknown[] = []
  const note = (error: unknown) => failures.push(error)
  process.on('uncaughtException', note).on('unhandledRejection', note)
  try {
    const hello = await helloMaker()
    let left = FUZZED
    const workers = Array.from({ length: 8 }, async (_, seed) => {
      const random = createRandom(seed)
      while (left-- > 0) {
        const isSilent = random() < 0.2
        const node = isSilent ? await dialRaw(relay.port) : await joinRaw(relay.port)
        const { socket } = await visit(relay.port, hello(node.host))
        if (!isSilent && random() < 0.7) await node.see(TYPE.headers, 3) // its visitor is there
        for (let frames = 1 + below(random, 12); frames > 0; frames -= 1) node.send(anyFrame(random))
        await new Promise(setImmediate)
        if (random() < 0.5) node.stall()
        started.push(node, { stop: () => socket.destroy() })
      }
    })
    await Promise.all(workers)
    const bytes = hello(calm.host)
    const visitor = await visit(relay.port, bytes)
    await visitor.receive(bytes.length)
    visitor.socket.destroy()
    for (const each of started.slice(2)) each.stop()
    await expect.poll(relay.open, { timeout: 8_000 }).toBe(1)
    expect(relay.relay.status()).toMatchObject([{ nodeId: calm.id }])
    expect(metric(relay, 'gate_relay_visitors')).toBe(0)
    expect(failures).toEqual([])
  } finally {
    process.off('uncaughtException', note).off('unhandledRejection', note)
  }
})

/** Any frame on a stream that there may be, sound by itself or not. */
function anyFrame(random: () => number): Buffer {
  const stream = pick(random, [0, 1, 1, 3, 3, 5, 2, 7])
  const bytes = () => Buffer.from(Array.from({ length: below(random, 60) }, () => below(random, 256)))
  switch (below(random, 10)) {
    case 0:
      return frame(below(random, 12), below(random, 256), stream, bytes())
    case 1:
      return okHeaders(stream, pick(random, [0, FLAG.endStream]))
    case 2:
      return data(stream, 'x'.repeat(below(random, 20_000)), pick(random, [0, FLAG.endStream]))
    case 3:
      return reset(stream, below(random, 14))
    case 4:
      return settings([pick(random, Object.values(SETTING)), pick(random, [0, 1, 2 ** 14, 2 ** 24, 2 ** 31 - 1])])
    case 5:
      return windowUpdate(stream, pick(random, [0, 1, 2 ** 20, 2 ** 31 - 1]))
    case 6:
      return ping('fuzz', pick(random, [0, FLAG.ack]))
    case 7:
      return goAway(below(random, 14))
    case 8:
      return frame(TYPE.data, 0, 1, Buffer.concat([Buffer.of(0, 20), bytes()]))
    default:
      return continuation(stream, bytes(), pick(random, [0, FLAG.endHeaders]))
  }
}

function dataOf(text: string): Buffer {
  const head = Buffer.of(0, 0, text.length, TYPE.data, 0, 0, 0, 0, 1)
  return Buffer.concat([head, Buffer.from(text)])
}
