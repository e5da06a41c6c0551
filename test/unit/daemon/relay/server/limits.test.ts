import { afterEach, describe, expect, test } from 'vitest'
import { createAddresses } from '../../../../../daemon/relay/server/addresses.ts'
import { createChallenges } from '../../../../../daemon/relay/server/challenges.ts'
import { createNodeMeters } from '../../../../../daemon/relay/server/node-meters.ts'
import { startNode, startRelay, type TakeVisitor, WIDE_LIMITS } from '../../../../support/relay.ts'
import { answerTo, helloMaker, visit } from '../../../../support/visitor.ts'

const started: { stop: () => unknown }[] = []
afterEach(async () => {
  for (const each of started.splice(0).reverse()) await each.stop()
})
const echo: TakeVisitor = (stream) => {
  stream.respond({ ':status': 200 })
  stream.pipe(stream)
}
async function startBoth(limited: Partial<typeof WIDE_LIMITS>, take: TakeVisitor = echo) {
  const relay = await startRelay({ limited })
  started.push(relay)
  const node = await startNode({ port: relay.port, take })
  started.push(node)
  return { relay, node, hello: (await helloMaker())(node.host) }
}
const metric = (text: string, name: string): number =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1],
  )

describe('of one address', () => {
  const limits = { ...WIDE_LIMITS, openPerAddress: 3, burstPerAddress: 5, newPerAddressPerSecond: 1 }

  test('so many are open at once, and a /64 is one', () => {
    const addresses = createAddresses(
      () => limits,
      () => 0,
    )
    const releases = [1, 2, 3].map((host) => addresses.take(`2001:db8::${host}`))
    expect(releases.every((release) => release !== null)).toBe(true)
    expect(addresses.take('2001:db8::4')).toBeNull()
    expect(addresses.take('2001:db8:0:1::4')).not.toBeNull()
    releases[0]?.()
    releases[0]?.()
    expect(addresses.take('2001:db8::4')).not.toBeNull()
    expect(addresses.take('2001:db8::5')).toBeNull()
  })

  test('so many begin, and unknown names count more', () => {
    let time = 0
    const addresses = createAddresses(
      () => limits,
      () => time,
    )
    for (let i = 0; i < 5; i += 1) addresses.take('192.0.2.1')?.()
    expect(addresses.take('192.0.2.1')).toBeNull()
    expect(addresses.take('192.0.2.2')).not.toBeNull()
    time += 1_000
    addresses.take('192.0.2.1')?.()
    addresses.penalise('192.0.2.1')
    time += 4_000
    expect(addresses.take('192.0.2.1')).toBeNull()
    time += 2_000
    expect(addresses.take('192.0.2.1')).not.toBeNull()
  })

  test.each([
    { what: 'IPv4', host: (i: number) => `192.0.2.${i}`, other: '192.0.3.1' },
    { what: 'IPv6', host: (i: number) => `2001:db8:0:${i}::1`, other: '2001:db8:1::1' },
  ])('and of its network as many as of eight addresses: $what', ({ host, other }) => {
    const open = createAddresses(
      () => limits,
      () => 0,
    )
    const taken = Array.from({ length: 30 }, (_, i) => open.take(host(i))).filter((release) => release !== null)
    expect(taken).toHaveLength(3 * 8)
    expect(open.take(other)).not.toBeNull()
    const begun = createAddresses(
      () => limits,
      () => 0,
    )
    for (let i = 0; i < 5 * 8; i += 1) {
      const release = begun.take(host(i))
      expect(release).not.toBeNull()
      release?.()
    }
    expect(begun.take(host(60))).toBeNull()
    expect(begun.take(other)).not.toBeNull()
  })

  test('however often it asks for names that do not exist, it may begin again before long', () => {
    let time = 0
    const addresses = createAddresses(
      () => limits,
      () => time,
    )
    for (let i = 0; i < 1_000; i += 1) addresses.penalise('192.0.2.1')
    time += 6_000 // 5 owed and 1 to begin
    expect(addresses.take('192.0.2.1')).not.toBeNull()
  })

  test('is taken however many others are remembered, and those are bounded', () => {
    const addresses = createAddresses(
      () => limits,
      () => 0,
    )
    for (let i = 0; i < 2 ** 15 + 100; i += 1) expect(addresses.take(`2001:db8:${i.toString(16)}::1`)).not.toBeNull()
    expect(addresses.size()).toBe(2 ** 16)
    expect(addresses.take('192.0.2.1')).not.toBeNull()
  })

  test('nothing is remembered for long', () => {
    let time = 0
    const addresses = createAddresses(
      () => limits,
      () => time,
    )
    for (let i = 0; i < 200; i += 1) addresses.take(`192.0.2.${i}`)?.()
    expect(addresses.size()).toBeGreaterThan(20)
    time += 10_000
    addresses.take('198.51.100.1')
    expect(addresses.size()).toBe(2) // it, and its network
  })
})

test('validations of a name are counted for an hour, for each address', () => {
  let time = 0
  const challenges = createChallenges(
    () => ({ ...WIDE_LIMITS, challengesPerHour: 2 }),
    () => time,
  )
  const [attacker, authority] = ['2001:db8::1', '192.0.2.1']
  expect([1, 2, 3].map(() => challenges.take('a', attacker))).toEqual([true, true, false])
  expect(challenges.take('a', '2001:db8::2')).toBe(false)
  expect(challenges.take('a', authority)).toBe(true)
  expect(challenges.take('b', attacker)).toBe(true)
  time += 3_600_000
  expect(challenges.take('a', attacker)).toBe(true)
})

test('bytes of a node are counted for a day', () => {
  let time = 0
  const meter = createNodeMeters(
    () => ({ ...WIDE_LIMITS, dailyBytesPerNode: 100 }),
    () => time,
  ).of('node')
  expect(meter.take(99)).toBe(true)
  expect(meter.isUsedUp()).toBe(false)
  expect(meter.take(1)).toBe(false)
  expect(meter.isUsedUp()).toBe(true)
  time += 24 * 3_600_000
  expect(meter.isUsedUp()).toBe(false)
  expect(meter.take(1)).toBe(true)
})

test('what a node has used today is not forgotten for others that have used nothing', () => {
  const meters = createNodeMeters(
    () => ({ ...WIDE_LIMITS, dailyBytesPerNode: 100 }),
    () => 0,
    10,
  )
  meters.of('greedy').take(100)
  meters.of('busy').visitors = 1
  const busy = meters.of('busy')
  for (let i = 0; i < 1_000; i += 1) meters.of(`other ${i}`)
  expect(meters.of('greedy').isUsedUp()).toBe(true)
  expect(meters.of('busy')).toBe(busy)
})

describe('a visitor', () => {
  test.each([
    { what: 'of a node that has as many as it may', limited: { streamsPerNode: 1 } },
    { what: 'of a relay that has as many as it may', limited: { visitors: 1 } },
  ])('$what is told by an alert', async ({ limited }) => {
    const { relay, hello } = await startBoth(limited)
    const first = await visit(relay.port, hello)
    await first.receive(hello.length)
    expect(await answerTo(relay.port, hello)).toBe('alert 80')
    first.socket.destroy()
    await expect.poll(() => answerTo(relay.port, hello).then((told) => told.startsWith('alert'))).toBe(true)
  })

  test('from an address that has as many as it may is let go', async () => {
    const { relay, hello } = await startBoth({ openPerAddress: 2 }) // the node has one
    const first = await visit(relay.port, hello)
    await first.receive(hello.length)
    expect(await answerTo(relay.port, hello)).toBe('closed')
    const other = await visit(relay.port, hello, { from: '127.0.0.2' })
    await other.receive(hello.length)
    first.socket.destroy()
    other.socket.destroy()
  })

  test('that says nothing gives way to one that does', async () => {
    const { relay, hello } = await startBoth({ unparsed: 3 })
    const silent = await Promise.all([1, 2, 3].map(() => visit(relay.port, hello.subarray(0, 10))))
    const visitor = await visit(relay.port, hello)
    await visitor.receive(hello.length)
    await silent[0]?.ended
    expect(relay.relay.metrics()).toContain('gate_relay_refused_total{reason="evicted"} 1')
    for (const { socket } of [...silent, visitor]) socket.destroy()
  })

  test('from an address that has too many open pushes out none that says nothing yet', async () => {
    const { relay, hello } = await startBoth({ unparsed: 3, openPerAddress: 2 })
    const silent = await visit(relay.port, hello.subarray(0, 10), { from: '127.0.0.3' })
    const own = await Promise.all([1, 2].map(() => visit(relay.port, hello.subarray(0, 10), { from: '127.0.0.2' })))
    for (let i = 0; i < 5; i += 1)
      expect(await answerTo(relay.port, hello.subarray(0, 10), { from: '127.0.0.2' })).toBe('closed')
    silent.socket.write(hello.subarray(10))
    await silent.receive(hello.length)
    expect(relay.relay.metrics()).toContain('gate_relay_refused_total{reason="evicted"} 0')
    for (const { socket } of [silent, ...own]) socket.destroy()
  })

  test('that asks for a node that is not there pays for it as for an unknown name', async () => {
    const { relay, hello } = await startBoth({ burstPerAddress: 8, newPerAddressPerSecond: 0.001 })
    const absent = (await helloMaker())(`${'b'.repeat(32)}.relay.test`)
    const from = '127.0.0.2'
    expect(await answerTo(relay.port, absent, { from })).toBe('alert 80')
    expect(await answerTo(relay.port, absent, { from })).toBe('alert 80')
    expect(await answerTo(relay.port, hello, { from })).toBe('closed')
  })

  test('without a byte for long is ended', async () => {
    const { relay, hello } = await startBoth({ idleMs: 60 })
    const visitor = await visit(relay.port, hello)
    await visitor.receive(hello.length)
    expect(await visitor.closed).toBe('reset')
    expect(relay.relay.metrics()).toContain('gate_relay_ended_total{reason="idle"} 1')
  })

  test('of a node that has used up its day is ended', async () => {
    const { relay, hello } = await startBoth({ dailyBytesPerNode: 10_000 })
    const visitor = await visit(relay.port, hello)
    await visitor.receive(hello.length)
    visitor.socket.write(Buffer.alloc(20_000))
    expect(await visitor.closed).toBe('reset')
    expect(await answerTo(relay.port, hello)).toBe('alert 80')
  })

  test('of a node with a rate gets every byte all the same', async () => {
    const { relay, hello } = await startBoth({ bytesPerSecondPerNode: 2_000_000 })
    const visitor = await visit(relay.port, hello)
    const bytes = Buffer.alloc(600_000, 'z')
    visitor.socket.end(bytes)
    const got = await visitor.receive(hello.length + bytes.length)
    expect(got.equals(Buffer.concat([hello, bytes]))).toBe(true)
    expect(await visitor.closed).toBe('closed')
  })
})

test('what waits since its node has a rate is counted as what waits for a slow side', async () => {
  const answers: (() => void)[] = []
  const { relay, hello } = await startBoth({ bytesPerSecondPerNode: 50_000 }, (stream, headers) => {
    answers.push(() => echo(stream, headers))
  })
  const buffered = () => metric(relay.relay.metrics(), 'gate_relay_buffered_bytes')
  const visitor = await visit(relay.port, hello)
  await expect.poll(buffered).toBeGreaterThan(0) // its first bytes
  answers[0]?.()
  await visitor.receive(hello.length)
  await expect.poll(buffered).toBe(0)
  visitor.socket.write(Buffer.alloc(5_000_000))
  await expect.poll(buffered).toBeGreaterThan(100_000)
  visitor.socket.destroy()
})

describe('visitors that do not read', () => {
  /** Sends without end. */
  const flood: TakeVisitor = (stream) => {
    stream.respond({ ':status': 200 })
    stream.resume()
    const chunk = Buffer.alloc(65_536)
    const more = () => {
      while (!stream.destroyed && stream.write(chunk));
    }
    stream.on('drain', more)
    more()
  }

  test('hold up no other visitor of their node', async () => {
    let count = 0
    const { relay, hello } = await startBoth({}, (stream, headers) => {
      count += 1
      ;(count <= 40 ? flood : echo)(stream, headers)
    })
    const stalled = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const visitor = await visit(relay.port, hello)
        visitor.socket.pause()
        return visitor
      }),
    )
    await expect.poll(() => metric(relay.relay.metrics(), 'gate_relay_visitors'), { timeout: 10_000 }).toBe(40)
    await expect
      .poll(() => metric(relay.relay.metrics(), 'gate_relay_buffered_bytes'), { timeout: 10_000 })
      .toBeGreaterThan(2_000_000)
    const visitor = await visit(relay.port, hello)
    const bytes = Buffer.alloc(300_000, 'x')
    visitor.socket.write(bytes)
    await visitor.receive(hello.length + bytes.length)
    for (const { socket } of [...stalled, visitor]) socket.destroy()
  })

  test('are ended when all together hold too much, the slowest first', async () => {
    const { relay, node, hello } = await startBoth({ bufferedBytes: 4_000_000 }, flood)
    const stalled = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const visitor = await visit(relay.port, hello)
        visitor.socket.pause()
        return visitor
      }),
    )
    await expect
      .poll(() => metric(relay.relay.metrics(), 'gate_relay_ended_total{reason="shed"}'), { timeout: 10_000 })
      .toBeGreaterThan(0)
    await expect
      .poll(() => metric(relay.relay.metrics(), 'gate_relay_buffered_bytes'), { timeout: 10_000 })
      .toBeLessThan(4_000_000)
    expect(metric(relay.relay.metrics(), 'gate_relay_visitors')).toBeGreaterThan(0)
    await expect.poll(() => node.session.remoteSettings.initialWindowSize).toBe(2 ** 18)
    for (const { socket } of stalled) socket.destroy()
  })

  test('cost the visitors of another node nothing', async () => {
    const { relay, hello } = await startBoth({ bufferedBytes: 4_000_000 }, flood)
    const other = await startNode({ port: relay.port, take: flood })
    started.push(other)
    const modest = await visit(relay.port, (await helloMaker())(other.host))
    modest.socket.pause() // slow for longest, and holds least
    const stalled = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const visitor = await visit(relay.port, hello)
        visitor.socket.pause()
        return visitor
      }),
    )
    await expect
      .poll(() => metric(relay.relay.metrics(), 'gate_relay_ended_total{reason="shed"}'), { timeout: 10_000 })
      .toBeGreaterThan(0)
    await expect
      .poll(() => metric(relay.relay.metrics(), 'gate_relay_buffered_bytes'), { timeout: 10_000 })
      .toBeLessThan(4_000_000)
    expect(relay.relay.status().find(({ nodeId }) => nodeId === other.id)?.visitors).toBe(1)
    for (const { socket } of [...stalled, modest]) socket.destroy()
  })
})
