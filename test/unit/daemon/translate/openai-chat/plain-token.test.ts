import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ChatStreamWatch } from '../../../../../daemon/translate/openai-chat/stream.ts'

type Frame = { readonly content: unknown; readonly finish: string | null; readonly rest: object; readonly end: string }

/** As the encoder of vLLM writes a chunk. */
const dataOf = ({ content, finish, rest }: Frame) =>
  JSON.stringify({ id: 'x', choices: [{ index: 0, delta: { content }, finish_reason: finish }], ...rest })

const piece = fc.constantFrom(
  'a',
  '"',
  '\\',
  '\\"',
  '{',
  '}]',
  ',"finish_reason":"stop"',
  '"content":"',
  '"error"',
  'é',
  '\n',
)
const frame: fc.Arbitrary<Frame> = fc.record({
  content: fc.oneof(
    { weight: 9, arbitrary: fc.array(piece, { maxLength: 4 }).map((all) => all.join('')) },
    fc.constant(null),
  ),
  finish: fc.constantFrom(null, null, null, null, null, 'stop'),
  rest: fc.constantFrom({}, {}, {}, {}, { usage: null }, { usage: { prompt_tokens: 1 } }, { error: { message: 'no' } }),
  end: fc.constantFrom('\n\n', '\n\n', '\n\n', '\n\n', '\r\n\r\n', '\r\r', '\n: note\n\n', '\n', ''),
})

const seen = (watch: ChatStreamWatch) => ({
  frames: watch.frames(),
  contentFrames: watch.contentFrames(),
  hasContent: watch.hasContent(),
  usage: watch.usage(),
  isDone: watch.isDone(),
  isComplete: watch.isComplete(),
  failure: watch.failure(),
  atBoundary: watch.atBoundary(),
})

/** The same bytes, one by one: no chunk is a frame, so each event is read. */
function inBytes(chunks: readonly Buffer[]): ChatStreamWatch {
  const watch = new ChatStreamWatch()
  for (const byte of Buffer.concat(chunks)) watch.feed(Buffer.from([byte]))
  return watch
}

test('a stream in whole frames looks like the same stream byte by byte', () => {
  fc.assert(
    fc.property(fc.array(frame, { minLength: 2, maxLength: 10 }), (frames) => {
      const chunks = frames.map((one) => Buffer.from(`data: ${dataOf(one)}${one.end}`))
      const watch = new ChatStreamWatch()
      for (const chunk of chunks) watch.feed(chunk)
      expect(seen(watch)).toEqual(seen(inBytes(chunks)))
    }),
    { numRuns: 1_000 },
  )
})

const FIRST = 'data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}\n\n'

test.each([
  { name: 'one more token', next: FIRST.replace('"x"', '"é, y"') },
  { name: 'no content', next: FIRST.replace('"x"', '""') },
  { name: 'content that ends with an escape', next: FIRST.replace('"x"', '"x\\"') },
  { name: 'content with the end of a line', next: FIRST.replace('"x"', '"x\n\ny"') },
  { name: 'an end', next: FIRST.replace('null', '"stop"') },
  { name: 'an error beside the content', next: FIRST.replace('}]}', '}],"error":"no"}') },
  { name: 'half of a frame', next: FIRST.slice(0, -1) },
  { name: 'the rest of it', next: FIRST.slice(10) },
  { name: 'two frames', next: FIRST + FIRST },
])('after a token, $name looks like the same byte by byte', ({ next }) => {
  const chunks = [FIRST, FIRST, FIRST, next, FIRST, 'data: [DONE]\n\n'].map((text) => Buffer.from(text))
  const watch = new ChatStreamWatch()
  for (const chunk of chunks) watch.feed(chunk)
  expect(seen(watch)).toEqual(seen(inBytes(chunks)))
})
