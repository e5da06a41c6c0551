import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  FRAME,
  type Frame,
  frameOf,
  frameReader,
  ID_BYTES,
  MOST_DATA_BYTES,
} from '../../../../../daemon/relay/peers/frames.ts'
import { below, createRandom } from '../../../../support/fuzz.ts'

const ID = randomBytes(ID_BYTES)
const DATA = randomBytes(1_000)
const FRAMES = [
  { type: FRAME.begin, number: 0, body: ID },
  { type: FRAME.data, number: DATA.length, body: DATA },
  { type: FRAME.taken, number: 2 ** 40, body: Buffer.alloc(0) },
  { type: FRAME.data, number: 0, body: Buffer.alloc(0) },
  { type: FRAME.close, number: 0, body: Buffer.alloc(0) },
] as const
const bytes = Buffer.concat(FRAMES.map(({ type, number, body }) => frameOf(type, number, body)))

test('frames are read as they were written, wherever they are cut', () => {
  const random = createRandom(7)
  for (let round = 0; round < 200; round++) {
    const read: Frame[] = []
    const feed = frameReader((frame) => read.push(frame))
    for (let at = 0; at < bytes.length; ) {
      const next = at + 1 + below(random, round < 20 ? 1 : 400)
      feed(bytes.subarray(at, next))
      at = next
    }
    expect(read).toEqual(FRAMES)
  }
})

test.each([
  { what: 'a frame that there is not', chunk: frameOf(FRAME.ping).fill(77, 0, 1) },
  { what: 'none at all', chunk: Buffer.alloc(7) },
  { what: 'HTTP', chunk: Buffer.from('GET / HTTP/1.1\r\n\r\n') },
  { what: 'data that is too long', chunk: frameOf(FRAME.data, MOST_DATA_BYTES + 1) },
])('$what is refused', ({ chunk }) => {
  expect(() => frameReader(() => {})(chunk)).toThrow('frame')
})
