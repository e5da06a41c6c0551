import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ChatStreamWatch } from '../../../../../daemon/translate/openai-chat/stream.ts'
import { DONE, frame } from '../../../../support/fake-upstream.ts'

const usage = {
  prompt_tokens: 7,
  completion_tokens: 3,
  prompt_tokens_details: { cached_tokens: 2 },
  completion_tokens_details: { reasoning_tokens: 1 },
}
const stream = [
  ': ping\n\n',
  frame({ role: 'assistant', content: '' }),
  frame({ content: 'Grüße "usage" \u2028 data: [DONE]' }),
  frame({ content: 'zwei' }),
  frame({}, 'stop'),
  `data: ${JSON.stringify({ choices: [], usage })}\n\n`,
  DONE,
].join('')

function watched(text: string, cuts: readonly number[], asked = 1) {
  const watch = new ChatStreamWatch(false, asked)
  const bytes = Buffer.from(text)
  const points = [0, ...[...cuts].map((c) => c % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  for (let i = 1; i < points.length; i += 1) watch.feed(bytes.subarray(points[i - 1], points[i]))
  return watch
}

test.each(['\n', '\r\n'])('sees the same wherever the stream is cut (%j)', (newline) => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 40 }), (cuts) => {
      const watch = watched(stream.replaceAll('\n', newline), cuts)
      expect(watch.frames()).toBe(6)
      expect(watch.contentFrames()).toBe(2) // B10: not the role, not the end
      expect(watch.isDone()).toBe(true)
      expect(watch.failure()).toBeNull()
      expect(watch.atBoundary()).toBe(true)
      expect(watch.usage()).toEqual({
        inputTokens: 7,
        outputTokens: 3,
        cachedTokens: 2,
        reasoningTokens: 1,
      })
    }),
  )
})

test('a stream cut short is not complete', () => {
  const watch = watched(frame({ content: 'a' }) + frame({ content: 'b' }), [])
  expect(watch.isComplete()).toBe(false)
  expect(watch.feed(Buffer.from('data: {"choi'))).toHaveLength(0)
  expect(watch.isComplete()).toBe(false)
  expect(watch.atBoundary()).toBe(true)
})

test('a finish reason completes a stream without [DONE]', () => {
  const watch = watched(frame({ content: 'a' }) + frame({}, 'stop'), [])
  expect(watch.isDone()).toBe(false)
  expect(watch.isComplete()).toBe(true)
})

test.each([
  { event: { error: { message: 'overloaded', code: 529 } }, failure: 'overloaded' },
  { event: { error: 'plain' }, failure: 'plain' },
  { event: { error: null, choices: [] }, failure: null },
  { event: { choices: [{ delta: { content: '"error"' } }] }, failure: null },
])('finds an error inside the stream: $event', ({ event, failure }) => {
  expect(watched(`data: ${JSON.stringify(event)}\n\n`, []).failure()).toBe(failure)
})

test('a nonsense usage is not reported', () => {
  const event = { usage: { prompt_tokens: -1, completion_tokens: 1e300, total_tokens: 'x' } }
  expect(watched(`data: ${JSON.stringify(event)}\n\n`, []).usage()).toBeNull()
})

test('a frame without end is given up, not kept', () => {
  const watch = new ChatStreamWatch()
  for (let i = 0; i < 100; i += 1) watch.feed(Buffer.alloc(2 ** 16, 'x'))
  watch.feed(Buffer.from(`\n\n${DONE}`))
  expect(watch.isDone()).toBe(true)
})

const choice = (index: number, delta: object, finish: string | null) =>
  `data: ${JSON.stringify({ choices: [{ index, delta, finish_reason: finish }] })}\n\n`

test.each([
  {
    name: 'B3: an empty finish reason and then a cut',
    text: choice(0, { content: 'a' }, null) + choice(0, {}, ''),
    complete: false,
  },
  {
    name: 'one choice of two',
    text: choice(0, { content: 'a' }, null) + choice(1, { content: 'b' }, null) + choice(0, {}, 'stop'),
    complete: false,
  },
  {
    name: 'both choices',
    text: choice(1, { content: 'b' }, 'stop') + choice(0, { content: 'a' }, 'length'),
    complete: true,
  },
  {
    name: 'a blank before the colon',
    text: 'data: {"choices" : [{"delta":{}, "finish_reason" : "stop"}]}\n\n',
    complete: true,
  },
  { name: '[DONE] with a blank', text: `${frame({ content: 'a' })}data: [DONE] \n\n`, complete: true },
  { name: 'CR alone', text: (frame({ content: 'a' }) + frame({}, 'stop')).replaceAll('\n', '\r'), complete: true },
  {
    name: 'data over two lines',
    text: 'data: {"choices":[{"delta":{},\ndata: "finish_reason":"stop"}]}\n\n',
    complete: true,
  },
  { name: 'a finish reason in a text', text: frame({ content: '"finish_reason":"stop"' }), complete: false },
  { name: 'only [DONE]', text: DONE, complete: false },
])('knows the end of a stream by its format: $name', ({ text, complete }) => {
  expect(watched(text, []).isComplete()).toBe(complete)
})

test.each([
  { name: 'none of the second', text: choice(0, { content: 'a' }, 'stop'), complete: false },
  {
    name: 'the beginning of the second',
    text: choice(0, {}, 'stop') + choice(1, { content: 'b' }, null),
    complete: false,
  },
  { name: 'both', text: choice(1, { content: 'b' }, 'stop') + choice(0, { content: 'a' }, 'stop'), complete: true },
  { name: 'one and [DONE]', text: choice(0, { content: 'a' }, 'stop') + DONE, complete: true },
])('B3: of two choices that were asked for, $name: complete is $complete', ({ text, complete }) => {
  expect(watched(text, [], 2).isComplete()).toBe(complete)
})

test.each([
  { delta: { role: 'assistant' }, content: false },
  { delta: { role: 'assistant', content: '' }, content: false },
  { delta: { content: null, tool_calls: [] }, content: false },
  { delta: { content: ' ' }, content: true },
  { delta: { reasoning_content: 'hm' }, content: true },
  { delta: { tool_calls: [{ index: 0 }] }, content: true },
  { delta: { role: 'assistant', content: null, refusal: null, function_call: {}, annotations: [] }, content: false },
  { delta: { refusal: 'no' }, content: true },
  { delta: { content: [] }, content: false },
])('B4: $delta is content: $content', ({ delta, content }) => {
  expect(watched(frame(delta), []).hasContent()).toBe(content)
})

test.each([
  { name: 'no delta', choice: { index: 0, delta: null, finish_reason: null }, content: false },
  { name: 'an empty text', choice: { index: 0, text: '', finish_reason: null }, content: false },
  { name: 'a text', choice: { index: 0, text: 'a', finish_reason: null }, content: true },
  { name: 'only an end', choice: { index: 0, delta: {}, finish_reason: 'stop' }, content: true },
])('B4: a choice with $name is content: $content', ({ choice: said, content }) => {
  expect(watched(`data: ${JSON.stringify({ choices: [said] })}\n\n`, []).hasContent()).toBe(content)
})

test('B10: usage as Moonshot reports it, in the choice that has ended', () => {
  const ended = { index: 0, delta: {}, finish_reason: 'stop', usage: { prompt_tokens: 9, completion_tokens: 4 } }
  const watch = watched(`${frame({ content: 'a' })}data: ${JSON.stringify({ choices: [ended] })}\n\n${DONE}`, [])
  expect(watch.usage()).toMatchObject({ inputTokens: 9, outputTokens: 4 })
})

test('B10: usage as Groq reports it, beside the end of the stream', () => {
  const groq = { x_groq: { id: 'req_1', usage: { prompt_tokens: 9, completion_tokens: 4 } } }
  const watch = watched(frame({ content: 'a' }, null, { x_groq: { id: 'req_1' } }) + frame({}, 'stop', groq) + DONE, [])
  expect(watch.usage()).toMatchObject({ inputTokens: 9, outputTokens: 4 })
})

const USAGE = `data: ${JSON.stringify({ choices: [], usage })}\n\n`

/** What a client is shown of a stream that was cut at places. */
function shownOf(text: string, cuts: readonly number[]): string {
  const watch = new ChatStreamWatch(true)
  const bytes = Buffer.from(text)
  const points = [0, ...[...cuts].map((c) => c % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  const shown = points.slice(1).map((end, i) => watch.feed(bytes.subarray(points[i], end)))
  return Buffer.concat([...shown, watch.rest()]).toString()
}

test.each(['\n', '\r\n', '\r'])(
  'B10: the report that Gate asked for is not shown, wherever it is cut (%j)',
  (newline) => {
    const whole = stream.replaceAll('\n', newline)
    const without = stream.replace(USAGE, '').replaceAll('\n', newline)
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 40 }), (cuts) => {
        expect(shownOf(whole, cuts)).toBe(without)
      }),
    )
  },
)

test.each([
  { name: 'an answer that says what a report looks like', text: frame({ content: USAGE }) + frame({}, 'stop') + DONE },
  { name: 'a report beside the end', text: frame({ content: 'a' }) + frame({}, 'stop', { usage }) + DONE },
  {
    name: 'a report with an error',
    text: `${frame({}, 'stop')}data: ${JSON.stringify({ choices: [], usage, error: { message: 'x' } })}\n\n`,
  },
  { name: 'a long event after the end', text: `${frame({}, 'stop')}: ${'x'.repeat(200_000)}\n\n${DONE}` },
  { name: 'events of other kinds', text: `${frame({}, 'stop')}event: x\ndata: {}\n\n: ping\n\ndata: []\n\n${DONE}` },
])('B10: $name is shown', ({ text }) => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 10 }), (cuts) => {
      expect(shownOf(text, cuts)).toBe(text)
    }),
    { numRuns: 30 },
  )
})

test.each(['\n', '\r\n', '\r'])('B10: nor cut at any two places around it (%j)', (newline) => {
  const before = frame({ content: 'a' }) + frame({}, 'stop')
  const whole = (before + USAGE + DONE).replaceAll('\n', newline)
  const without = (before + DONE).replaceAll('\n', newline)
  const start = before.replaceAll('\n', newline).length
  const around = Array.from({ length: 12 }, (_, i) => start - 6 + i)
  for (const first of around) for (const second of around) expect(shownOf(whole, [first, second])).toBe(without)
})

test('B10: a report that the end of the connection cuts is not shown, nor is one without its blank line', () => {
  const end = frame({ content: 'a' }) + frame({}, 'stop')
  expect(shownOf(end + USAGE.trimEnd(), [end.length])).toBe(end + DONE)
})

test('choices are told apart up to a bound; all beyond it count as one', () => {
  const choice = (index: unknown, finish_reason: string | null = null) => ({
    index,
    delta: { content: 'a' },
    finish_reason,
  })
  const event = (...choices: object[]) => Buffer.from(`data: ${JSON.stringify({ choices })}\n\n`)
  const watch = new ChatStreamWatch()
  for (let from = 0; from < 200_000; from += 10_000) {
    watch.feed(event(...Array.from({ length: 10_000 }, (_, i) => choice(from + i))))
    expect(watch.isComplete()).toBe(false)
  }
  watch.feed(event(...Array.from({ length: 128 }, (_, i) => choice(i, 'stop'))))
  expect(watch.isComplete()).toBe(false)
  watch.feed(event(choice(199_999, 'stop')))
  expect(watch.isComplete()).toBe(true)
})

test.each([-1, 0.5, 1e300, 128, Number.MAX_SAFE_INTEGER])('choice %d is one beyond the bound', (index) => {
  const of = (at: number, end: string | null) => frame({ content: 'a' }, end).replace('"index":0', `"index":${at}`)
  const watch = watched(of(index, null), [])
  expect(watch.isComplete()).toBe(false)
  watch.feed(Buffer.from(of(500, 'stop')))
  expect(watch.isComplete()).toBe(true)
})

test('more choices than are told apart are complete when all of them have ended', () => {
  const watch = new ChatStreamWatch(false, 500)
  const event = (from: number, to: number) => {
    const choices = Array.from({ length: to - from }, (_, i) => ({
      index: from + i,
      delta: { content: 'a' },
      finish_reason: 'stop',
    }))
    return Buffer.from(`data: ${JSON.stringify({ choices })}\n\n`)
  }
  watch.feed(event(0, 100))
  expect(watch.isComplete()).toBe(false)
  watch.feed(event(100, 500))
  expect(watch.isComplete()).toBe(true)
})
