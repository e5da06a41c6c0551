import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Room } from '../../../../daemon/gateway/blocks.ts'
import { type Client, Recording } from '../../../../daemon/gateway/recording.ts'

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

const ANY_ROOM: Room = { take: () => {}, give: () => {} }
const LIMITS = { maxBytes: 2 ** 20, aloneMs: null }

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

  test('is held up by a client that does not read, until that reads or leaves', () => {
    const recording = new Recording(null, LIMITS, ANY_ROOM)
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
    const room = { take: (bytes: number) => (held += bytes), give: (bytes: number) => (held -= bytes) } as Room
    const recording = new Recording(null, { maxBytes: 100_000, aloneMs: null }, room)
    recording.writeHead(200, [])
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
