import fc from 'fast-check'
import { expect, test } from 'vitest'
import { google, googleList } from '../../../../daemon/translate/google/dialect.ts'
import { ListScanner } from '../../../../daemon/translate/google/list-scanner.ts'
import { LineScanner } from '../../../../daemon/translate/lines.ts'
import { ollama, ollamaGenerate } from '../../../../daemon/translate/ollama/dialect.ts'
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
      const one = new scanner((json) => void found.push(JSON.parse(utf8Of(json))))
      for (const chunk of chunksOf(text(all), at)) one.feed(chunk)
      expect(found).toEqual(JSON.parse(JSON.stringify(all)))
      expect(one.atBoundary()).toBe(true)
    }),
  )
})

test('an object that is too long is passed over, and the next one is found', () => {
  const long = `{"a":"${'x'.repeat(5 * 2 ** 20)}"}`
  const found: string[] = []
  new LineScanner((json) => void found.push(json)).feed(Buffer.from(`${long}\n{"b":1}\n`))
  expect(found).toEqual(['{"b":1}'])
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
