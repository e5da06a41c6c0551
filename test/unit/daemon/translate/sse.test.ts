import { createParser } from 'eventsource-parser'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SseScanner, utf8Of } from '../../../../daemon/translate/sse.ts'

type Event = { readonly type: string; readonly data: string | null }

/** Cuts bytes at the given places and feeds the pieces. */
function scanned(bytes: Uint8Array, cuts: readonly number[] = []) {
  const events: Event[] = []
  const scanner = new SseScanner((data, type) =>
    events.push({ data: data === null ? null : utf8Of(data), type: utf8Of(type) }),
  )
  const points = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  for (let i = 1; i < points.length; i += 1) scanner.feed(bytes.subarray(points[i - 1], points[i]))
  return { events, scanner }
}

/** What the parser that others use sees in the same bytes. */
function parsed(bytes: Uint8Array): Event[] {
  const events: Event[] = []
  const parser = createParser({ onEvent: ({ data, event }) => events.push({ data, type: event ?? '' }) })
  // a decoder would take one byte order mark away, and the parser then another
  parser.feed(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes))
  return events
}

const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('\n', '\r', '\r\n', '\n\n', '\r\r', '\r\n\r\n') },
  {
    weight: 4,
    arbitrary: fc.constantFrom('data:', 'data: ', 'data', 'event:', 'event: x', 'id: 7', 'retry: 1', ':', ': ping'),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('dat', 'Data: x', ' data: x', 'data :x', 'eventdata: x', 'data:  two', '\ufeff', '\0'),
  },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }) },
)
const stream = fc.array(piece, { maxLength: 30 }).map((pieces) => Buffer.from(pieces.join('')))
const cuts = fc.array(fc.nat(), { maxLength: 12 })
// a line break that is still open may be held back by either side: a comment makes both decide
const END = Buffer.from('\n:')

test('sees the events that eventsource-parser sees, wherever the stream is cut', () => {
  fc.assert(
    fc.property(stream, cuts, (bytes, where) => {
      const whole = Buffer.concat([bytes, END])
      expect(scanned(whole, where).events).toEqual(parsed(whole))
    }),
    { numRuns: 1_000 },
  )
})

test('sees the same in bytes that are no UTF-8', () => {
  const bytes = fc.array(
    fc.oneof(
      piece.map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 4 }).map(Buffer.from),
    ),
    { maxLength: 20 },
  )
  fc.assert(
    fc.property(bytes, cuts, (pieces, where) => {
      const whole = Buffer.concat([...pieces, END])
      expect(scanned(whole, where).events).toEqual(parsed(whole))
    }),
  )
})

test.each([
  { name: 'LF', text: 'data: a\n\ndata: b\n\n', data: ['a', 'b'] },
  { name: 'CRLF', text: 'data: a\r\n\r\ndata: b\r\n\r\n', data: ['a', 'b'] },
  { name: 'CR alone', text: 'data: a\r\rdata: b\r\r', data: ['a', 'b'] },
  { name: 'a mark of the byte order', text: '\ufeffdata: a\n\n', data: ['a'] },
  { name: 'data over several lines', text: 'data: a\ndata:b\ndata\n\n', data: ['a\nb\n'] },
  { name: 'comments', text: ': ping\n\n:x\ndata: a\n: y\n\n', data: ['a'] },
  { name: 'no end', text: 'data: a\n\ndata: b\n', data: ['a'] },
  { name: 'one space only after the colon', text: 'data:  a\n\n', data: [' a'] },
  { name: 'no data', text: 'event: x\nid: 1\n\ndata: a\n\n', data: ['a'] },
])('reads $name', ({ text, data }) => {
  const { events } = scanned(
    Buffer.from(text),
    Array.from(text, (_, at) => at),
  )
  expect(events.map((event) => event.data)).toEqual(data)
})

test.each([
  { text: '', at: true },
  { text: 'data: a\n\n', at: true },
  { text: 'data: a\r\r', at: true },
  { text: ': ping\n\n', at: true },
  { text: 'data: a\n', at: false },
  { text: ': ping\n', at: false },
  { text: 'event: x\n', at: false },
  { text: 'data: a\n\nd', at: false },
])('knows whether something may be put in after $text', ({ text, at }) => {
  expect(scanned(Buffer.from(text)).scanner.atBoundary()).toBe(at)
})

test.each([
  { name: 'one line', line: 'x'.repeat(2 ** 16), rest: '' },
  { name: 'many lines', line: `data: ${'x'.repeat(2 ** 16)}\n`, rest: '' },
  { name: 'many short lines', line: 'data: x\n'.repeat(2 ** 13), rest: '' },
])('of an endless event of $name nothing is kept, in linear time, and it is no place for a ping', ({ line }) => {
  const scanner = new SseScanner((data) => events.push(data))
  const events: (string | null)[] = []
  const chunk = Buffer.from(line)
  const before = process.memoryUsage().heapUsed
  for (let bytes = 0; bytes < 2 ** 26; bytes += chunk.length) scanner.feed(chunk)
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(2 ** 27)
  expect(scanner.atBoundary()).toBe(false)
  scanner.feed(Buffer.from('\n\ndata: after\n\n'))
  expect(events).toEqual([null, 'after'])
  expect(scanner.atBoundary()).toBe(true)
})
