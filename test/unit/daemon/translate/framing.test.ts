import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anthropic } from '../../../../daemon/translate/anthropic/dialect.ts'
import { google, googleList } from '../../../../daemon/translate/google/dialect.ts'
import { ListScanner } from '../../../../daemon/translate/google/list-scanner.ts'
import { LineScanner } from '../../../../daemon/translate/lines.ts'
import { ollama, ollamaGenerate } from '../../../../daemon/translate/ollama/dialect.ts'
import { openAiChat } from '../../../../daemon/translate/openai-chat/dialect.ts'
import { utf8Of } from '../../../../daemon/translate/sse.ts'
import { GateError } from '../../../../schemas/words/errors.ts'
import { problemsOf } from '../../../wire/schemas.ts'

const objects = fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 5 })
const cuts = fc.array(fc.nat(), { maxLength: 8 })

function chunksOf(text: string, at: readonly number[]): readonly Buffer[] {
  const bytes = Buffer.from(text)
  const ends = [0, ...at.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  return ends.slice(1).map((end, index) => bytes.subarray(ends[index], end))
}

test.each([
  {
    name: 'a list',
    scanner: ListScanner,
    text: (all: readonly object[]) => `[${all.map((one) => JSON.stringify(one)).join(',\r\n')}\n]`,
  },
  {
    name: 'lines',
    scanner: LineScanner,
    text: (all: readonly object[]) => all.map((one) => `${JSON.stringify(one)}\n`).join('\n'),
  },
])('$name: the same objects are found wherever the chunks are cut', ({ scanner, text }) => {
  fc.assert(
    fc.property(objects, cuts, (all, at) => {
      const found: unknown[] = []
      const one = new scanner((json) => void found.push(JSON.parse(utf8Of(json ?? ''))))
      for (const chunk of chunksOf(text(all), at)) one.feed(chunk)
      expect(found).toEqual(JSON.parse(JSON.stringify(all)))
      expect(one.atBoundary()).toBe(true)
    }),
  )
})

test.each([
  { name: 'events', dialect: openAiChat, frame: (json: string) => `data: ${json}\r\n\r\n` },
  {
    name: 'events, and comments between them',
    dialect: anthropic,
    frame: (json: string) => `: x\n\ndata: ${json}\n\n`,
  },
  { name: 'lines', dialect: ollama, frame: (json: string) => `${json}\n` },
  { name: 'a list', dialect: googleList, frame: (json: string) => `,${json}` },
])('$name: what is shown ends between two frames at any time, wherever the chunks are cut', ({ dialect, frame }) => {
  const frames = fc.array(fc.record({ x: fc.string(), candidates: fc.constant([{ x: '}],[{"' }]) }), { minLength: 1 })
  fc.assert(
    fc.property(frames, cuts, (all, at) => {
      const texts = all.map((one) => frame(JSON.stringify(one)))
      if (dialect === googleList) texts[0] = `[${texts[0]?.slice(1)}`
      const ends = texts.map((_, index) => texts.slice(0, index + 1).join(''))
      const watch = dialect.watch(false, 1)
      let shown = ''
      for (const chunk of chunksOf(texts.join(''), at)) {
        shown += watch.feed(chunk).toString('latin1')
        const isWhole = shown === '' || ends.some((end) => bytesOf(end) === shown || bytesOf(end) === `${shown}\n`)
        expect(isWhole || shown.endsWith(': x\n\n'), shown).toBe(true)
        expect(watch.atBoundary()).toBe(true)
      }
      expect(shown).toBe(bytesOf(texts.join('')))
    }),
  )
})

const bytesOf = (text: string): string => Buffer.from(text).toString('latin1')

test('a frame that is very long is shown as it comes, and is no place for a ping', () => {
  const watch = openAiChat.watch()
  const long = Buffer.from(`data: {"x":"${'y'.repeat(2 ** 17)}`)
  expect(watch.feed(long).length).toBe(long.length)
  expect(watch.feed(Buffer.from('z')).toString()).toBe('z')
  expect(watch.atBoundary()).toBe(false)
  expect(watch.feed(Buffer.from('"}\n\ndata: ')).toString()).toBe('"}\n\n')
  expect(watch.atBoundary()).toBe(true)
})

test.each([
  { name: 'that is cut off', frame: 'data: {"choices":[{"index":0,"delta":{"content":"x\n\n' },
  { name: 'of words', frame: 'data: please wait\n\n' },
])('a frame $name is not shown, nor is what follows', ({ frame }) => {
  const watch = openAiChat.watch()
  const good = 'data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}\n\n'
  expect(watch.feed(Buffer.from(good + good + frame + good)).toString()).toBe(good + good)
  expect(watch.garbage?.()).toContain('not JSON')
})

test.each([
  { name: 'two ends', after: 'data: [DONE]\n\ndata: [DONE]\n\n' },
  { name: 'an error after the end', after: 'data: [DONE]\n\ndata: {"error":"late"}\n\n' },
  { name: 'half of the end', after: 'data: [DO' },
  { name: 'nothing', after: '' },
])('an answer that is complete ends once, whatever follows: $name', ({ after }) => {
  const watch = openAiChat.watch()
  const last = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
  const shown = watch.feed(Buffer.from(last + after)).toString() + watch.rest().toString()
  expect(shown).toBe(`${last}data: [DONE]\n\n`)
  expect([watch.failure(), watch.garbage?.(), watch.isComplete()]).toEqual([null, null, true])
})

test.each(['data: {"error":{"message":"late"}}\n\n', 'data: late\n\n'])(
  'what comes after the reason to finish is no error where that is the end: %j',
  (after) => {
    const last = 'data: {"candidates":[{"finishReason":"STOP"}]}\n\n'
    const watch = google.watch(false, 1)
    expect(watch.feed(Buffer.from(last + after)).toString()).toBe(last)
    expect([watch.failure(), watch.garbage?.(), watch.isDone()]).toEqual([null, null, true])
    const reader = google.neutral.readEvents('r1')
    expect(reader.feed(Buffer.from(last + after)).at(-1)).toMatchObject({ kind: 'end' })
  },
)

test('an event that reports an error and a reason to end is an error', () => {
  const watch = openAiChat.watch()
  watch.feed(
    Buffer.from('data: {"error":{"message":"full"},"choices":[{"index":0,"delta":{},"finish_reason":"error"}]}\n\n'),
  )
  expect(watch.failure()).toBe('full')
})

test('of an object that is too long nothing is kept, and the next one is found', () => {
  const long = `{"a":"${'x'.repeat(5 * 2 ** 20)}"}`
  const found: (string | null)[] = []
  new LineScanner((json) => void found.push(json)).feed(Buffer.from(`${long}\n{"b":1}\n`))
  expect(found).toEqual([null, '{"b":1}'])
})

test('a ping is what clients of the dialect take for nothing', () => {
  expect(google.ping.trim()).toBe('') // Google's Python SDK parses every line that is not empty
  expect(problemsOf('ollama:ChatResponse', JSON.parse(ollama.ping))).toEqual([])
  expect(problemsOf('ollama:GenerateResponse', JSON.parse(ollamaGenerate.ping))).toEqual([])
})

test('a list that fails is a list all the same', () => {
  const error = new GateError('TOO_MANY_REQUESTS', 'slower', { retryAfterS: 7 })
  const [first] = JSON.parse(googleList.errorFrame(error, true))
  expect(problemsOf('google:ErrorResponse', first)).toEqual([])
  expect(first).toMatchObject({ error: { code: 429, status: 'RESOURCE_EXHAUSTED', details: [{ retryDelay: '7s' }] } })
  expect(JSON.parse(`[{}${googleList.errorFrame(error, false)}`)).toHaveLength(2)
})

test.each([
  { delay: '7s', seconds: 7 },
  { delay: '0.5s', seconds: 1 },
  { delay: 'soon', seconds: null },
])('an error of Google that asks to wait $delay', ({ delay, seconds }) => {
  const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: delay }]
  expect(google.retryAfterIn(Buffer.from(JSON.stringify({ error: { code: 429, details } })))).toBe(seconds)
})
