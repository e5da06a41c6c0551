import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Exchange } from '../../../../daemon/gateway/exchange.ts'
import type { Job } from '../../../../daemon/gateway/job.ts'
import { type Client, Recording } from '../../../../daemon/gateway/recording.ts'
import { createRecordings } from '../../../../daemon/gateway/recordings.ts'

/** A client that takes so many chunks before it has to be waited for. */
function clientOf(patience: number) {
  const got: Buffer[] = []
  let left = patience
  let resume: (() => void) | null = null
  let leave: (() => void) | null = null
  let how = ''
  const client: Client = {
    started: () => how !== '',
    start: (status) => {
      how = `started ${status}`
    },
    write(chunk) {
      got.push(Buffer.from(chunk))
      left -= 1
      return left > 0
    },
    onDrain: (then) => {
      resume = then
    },
    onGone: (then) => {
      leave = then
    },
    finish: () => {
      how = 'finished'
    },
    abandon: () => {
      how = 'abandoned'
    },
  }
  return {
    client,
    text: () => Buffer.concat(got).toString(),
    how: () => how,
    leave: () => leave?.(),
    drain() {
      left = patience
      const then = resume
      resume = null
      then?.()
    },
    isWaitedFor: () => resume !== null,
  }
}

const ANY_ROOM = () => {}
const LIMITS = { maxBytes: 2 ** 21, aloneMs: 3_600_000 }

afterEach(() => void vi.useRealTimers())

describe('a recording', () => {
  test('is told whole to every client, from where it wants, however fast it reads', async () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('write' as const), bytes: fc.integer({ min: 0, max: 20_000 }) }),
        fc.record({ kind: fc.constant('join' as const), patience: fc.integer({ min: 1, max: 5 }), share: fc.nat(100) }),
        fc.record({ kind: fc.constant('drain' as const) }),
      ),
      { maxLength: 60 },
    )
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const recording = new Recording(null, LIMITS, ANY_ROOM)
        recording.writeHead(200, ['content-type', 'text/event-stream'])
        let text = ''
        const joined: { from: number; client: ReturnType<typeof clientOf>; over: Promise<void> }[] = []
        for (const step of all) {
          if (step.kind === 'write') {
            const more = String.fromCharCode(97 + (text.length % 26)).repeat(step.bytes)
            text += more
            recording.write(Buffer.from(more))
          } else if (step.kind === 'join') {
            const client = clientOf(step.patience)
            const from = Math.floor((text.length * step.share) / 100)
            joined.push({ from, client, over: recording.follow(client.client, from) })
          } else for (const { client } of joined) client.drain()
        }
        recording.end('last', 'latin1')
        text += 'last'
        for (const { client } of joined) while (client.isWaitedFor()) client.drain()
        await Promise.all(joined.map(({ over }) => over))
        for (const { from, client } of joined) {
          expect(client.text()).toBe(text.slice(from))
          expect(client.how()).toBe('finished')
        }
      }),
    )
  })

  test('is held up by a client that would lose bytes, until that reads or leaves', () => {
    const recording = new Recording(null, { ...LIMITS, maxBytes: 64_000 }, ANY_ROOM)
    recording.writeHead(200, [])
    const [slow, gone, fast] = [clientOf(1), clientOf(1), clientOf(1_000)]
    for (const { client } of [slow, gone, fast]) void recording.follow(client, 0)
    const chunk = Buffer.alloc(40_000)
    expect(recording.write(chunk)).toBe(true)
    expect(recording.write(chunk)).toBe(false)
    expect(fast.text().length).toBe(80_000)
    let drained = 0
    recording.on('drain', () => {
      drained += 1
    })
    gone.leave()
    expect(drained).toBe(0)
    while (slow.isWaitedFor()) slow.drain()
    expect(drained).toBeGreaterThan(0)
    expect(recording.writableNeedDrain).toBe(false)
  })

  test('is not held up by a client for which all is kept, unless room is scarce', () => {
    const recording = new Recording(null, LIMITS, ANY_ROOM)
    recording.writeHead(200, [])
    const slow = clientOf(1)
    void recording.follow(slow.client, 0)
    expect(recording.write(Buffer.alloc(1_000_000))).toBe(true)
    recording.forget()
    expect(recording.writableNeedDrain).toBe(true)
    while (slow.isWaitedFor()) slow.drain()
    expect(recording.writableNeedDrain).toBe(false)
    expect(slow.text().length).toBe(1_000_000)
  })

  test('in the background goes on past a client that reads too slowly, which alone is cut off', () => {
    const recording = new Recording(null, { maxBytes: 50_000, aloneMs: null }, ANY_ROOM)
    recording.writeHead(200, [])
    const [slow, fast] = [clientOf(1), clientOf(1_000)]
    for (const { client } of [slow, fast]) void recording.follow(client, 0)
    for (let count = 0; count < 20; count += 1) expect(recording.write(Buffer.alloc(10_000))).toBe(true)
    expect([slow.how(), fast.how()]).toEqual(['abandoned', 'started 200'])
    slow.drain()
    expect(slow.text().length).toBeLessThan(50_000)
    recording.end()
    expect([recording.writableFinished, fast.how(), fast.text().length]).toEqual([true, 'finished', 200_000])
  })

  test('that breaks off is a broken connection', async () => {
    const recording = new Recording(null, LIMITS, ANY_ROOM)
    const [early, late] = [clientOf(9), clientOf(9)]
    const over = recording.follow(early.client, 0)
    recording.writeHead(200, [])
    recording.write(Buffer.from('half'))
    recording.destroy()
    await over
    await recording.follow(late.client, 0)
    expect([early, late].map((one) => [one.text(), one.how()])).toEqual([
      ['half', 'abandoned'],
      ['half', 'abandoned'],
    ])
  })

  test('keeps no more than it may, but what a client still has to read', () => {
    let held = 0
    const room = (bytes: number) => {
      held += bytes
    }
    const recording = new Recording(null, { ...LIMITS, maxBytes: 100_000 }, room)
    recording.writeHead(200, [])
    void recording.follow(clientOf(1_000).client, 0)
    for (let count = 0; count < 100; count += 1) recording.write(Buffer.alloc(10_000))
    expect(held).toBeLessThan(120_000)
    expect([recording.holds(0), recording.holds(1_000_000), recording.holds(950_000)]).toEqual([false, true, true])
    const slow = clientOf(1)
    void recording.follow(slow.client, 950_000)
    for (let count = 0; count < 20; count += 1) recording.write(Buffer.alloc(10_000))
    expect(recording.holds(960_000)).toBe(true)
    slow.leave()
    recording.write(Buffer.alloc(1))
    expect(recording.holds(960_000)).toBe(false)
  })
})

describe('recordings that take too much together', () => {
  /** A stream of a conversation that has said so much; null when it is not recorded. */
  function opened(recordings: ReturnType<typeof createRecordings>, name: string, bytes: number) {
    let recording: Recording | null = null
    const { client, leave } = clientOf(100_000)
    const answer = {
      requestId: name,
      isGone: () => false,
      detach(made: Recording) {
        recording = made
        return client
      },
    }
    const call = { headers: { 'x-conversation-id': name } }
    const job = { answer, keyId: 'k', dialect: {}, call, asked: { stream: true }, hold: () => {} } as unknown as Job
    recordings.begin(job, recordings as never)
    const made = recording as Recording | null
    made?.writeHead(200, [])
    made?.write(Buffer.alloc(bytes))
    return made === null ? null : { recording: made, leave }
  }

  test('end the streams without a client, the oldest first, and forget what the others have been told', () => {
    const recordings = createRecordings(() => 0, { resumeForMs: 3_600_000, maxBytes: 64 * 2 ** 10, maxBackground: 1 })
    const all = Array.from({ length: 8 }, (_, index) => opened(recordings, `c${index}`, 8_000))
    expect(recordings.heldBytes()).toBe(64 * 2 ** 10)
    for (const one of all.slice(0, 6)) one?.leave()
    for (const one of all.slice(2, 8)) one?.recording.write(Buffer.alloc(8_000))
    expect(all.map((one) => one?.recording.isOver())).toEqual([true, true, true, false, false, false, false, false])
    expect(recordings.heldBytes()).toBeLessThanOrEqual(64 * 2 ** 10)
    expect([all[5], all[7]].map((one) => one?.recording.holds(0))).toEqual([true, false])
  })

  test('begin no other one that could be come back to, until there is room', () => {
    const recordings = createRecordings(() => 0, { resumeForMs: 3_600_000, maxBytes: 16 * 2 ** 10, maxBackground: 1 })
    const all = Array.from({ length: 3 }, (_, index) => opened(recordings, `c${index}`, 8_000))
    expect(opened(recordings, 'more', 1)).toBe(null)
    all[0]?.recording.end('', 'latin1')
    expect(opened(recordings, 'more', 1)).not.toBe(null)
  })
  test('make room at once when less is allowed, however many they are', () => {
    const limits = { resumeForMs: 3_600_000, maxBytes: 2 ** 30, maxBackground: 1 }
    const recordings = createRecordings(() => 0, limits)
    const all = Array.from({ length: 3_000 }, (_, index) => opened(recordings, `c${index}`, 1))
    for (const one of all) one?.leave()
    recordings.setLimits({ ...limits, maxBytes: 16 * 2 ** 10 })
    expect(recordings.heldBytes()).toBe(16 * 2 ** 10)
    expect(all.filter((one) => one?.recording.isOver() === false).length).toBe(2)
  })

  test('say which part of a stream is kept', () => {
    const recordings = createRecordings(() => 0, { resumeForMs: 3_600_000, maxBytes: 2 ** 30, maxBackground: 1 })
    const made = opened(recordings, 'c', 20_000)
    made?.recording.forget()
    const exchange = (offset: number) =>
      ({
        request: { method: 'GET' },
        answer: { progress: { keyId: 'k' } },
        url: `/?offset=${offset}`,
      }) as unknown as Exchange
    for (const offset of [0, 20_001]) {
      const says = `offset ${offset} is not kept: ask for one from 16384 to 20000`
      expect(() => recordings.page(exchange(offset), 'c')).toThrow(says)
    }
  })

  test('leave nothing behind', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const limits = { resumeForMs: 3_600_000, maxBytes: 2 ** 30, maxBackground: 1 }
    const recordings = createRecordings(() => 0, limits)
    for (let index = 0; index < 3; index += 1) opened(recordings, `c${index}`, 8_000)?.recording.end('', 'latin1')
    expect(vi.getTimerCount()).toBe(3)
    recordings.setLimits({ ...limits, maxBytes: 0 })
    expect([recordings.heldBytes(), vi.getTimerCount()]).toEqual([0, 0])
  })
})
