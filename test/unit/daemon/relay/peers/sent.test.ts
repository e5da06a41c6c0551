import { expect, test } from 'vitest'
import { MOST_DATA_BYTES } from '../../../../../daemon/relay/peers/frames.ts'
import { Sent } from '../../../../../daemon/relay/peers/sent.ts'
import { below, createRandom } from '../../../../support/fuzz.ts'

test('whatever is written, taken and cut, the other side receives all of it once, and little waits on the way', () => {
  const random = createRandom(11)
  for (let round = 0; round < 50; round++) {
    const sent = new Sent()
    let [written, received, taken] = [0, 0, 0]
    const pieces: number[] = []
    let onTheWay: number[] = []
    for (let step = 0; step < 400; step++) {
      switch (below(random, 4)) {
        case 0: {
          const bytes = below(random, 3 * MOST_DATA_BYTES)
          sent.add(Buffer.alloc(bytes))
          written += bytes
          break
        }
        case 1:
          for (let piece = sent.next(); piece !== undefined; piece = sent.next()) onTheWay.push(piece.length)
          break
        case 2:
          for (const bytes of onTheWay.splice(0, below(random, onTheWay.length + 1))) {
            pieces.push(bytes)
            received += bytes
          }
          break
        default:
          if (below(random, 3) === 0) {
            onTheWay = [] // cut
            expect(sent.rewind(received)).toBe(true)
          } else {
            taken += pieces.splice(0, below(random, pieces.length + 1)).reduce((sum, bytes) => sum + bytes, 0)
            expect(sent.took(taken)).toBe(true)
          }
      }
      expect(onTheWay.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(2 ** 20 + MOST_DATA_BYTES)
    }
    expect(sent.rewind(received)).toBe(true)
    while (received < written) {
      for (let piece = sent.next(); piece !== undefined; piece = sent.next()) received += piece.length
      expect(sent.took(received)).toBe(true)
    }
    expect([received, sent.isAllSent, sent.isAllTaken(written + 1)]).toEqual([written, true, true])
  }
})

test.each([
  { what: 'more is said to be taken than was sent', say: (sent: Sent) => sent.took(102) },
  { what: 'more is said to be received than was sent', say: (sent: Sent) => sent.rewind(102) },
  { what: 'a part of a frame is said to be received', say: (sent: Sent) => sent.rewind(50) },
])('where $what, that is seen', ({ say }) => {
  const sent = new Sent()
  sent.add(Buffer.alloc(100))
  sent.next()
  expect(say(sent)).toBe(false)
})
