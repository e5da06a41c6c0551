import fc from 'fast-check'
import { expect, test } from 'vitest'
import { answerOf, readEchoRequest, tokensOf } from '../../../../../daemon/translate/openai-chat/echo-answer.ts'

const user = (content: unknown) => ({ role: 'user', content })

test('tokens join to the text', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => tokensOf(text).join('') === text))
})

test('a text of millions of words is a bounded number of tokens, which join to it', () => {
  const text = `${'a '.repeat(2 ** 21)}\u{1f600}`
  const tokens = tokensOf(text)
  expect(tokens.join('') === text).toBe(true)
  expect(tokens.slice(0, 2)).toEqual(['a', ' a'])
  expect(tokens.length).toBeLessThan(12_000)
})

test('says the last user message back, text parts joined', () => {
  const messages = [
    user('first'),
    { role: 'assistant', content: 'no' },
    user([{ type: 'text', text: 'a ' }, { type: 'image_url' }, { type: 'text', text: 'b' }]),
  ]
  expect(answerOf({ model: 'm', messages }).message.content).toBe('a b')
})

test('what is neither a chat nor an embedding is told what the echo does', () => {
  const read = readEchoRequest('{"model":"echo","prompt":"hi"}', '/v1/completions')
  expect(read).toMatchObject({ kind: 'refused', message: expect.stringContaining('last message of a chat') })
})

test('the same request has the same answer', () => {
  const request = { model: 'm', messages: [user('x y z')], max_tokens: 2 }
  expect(answerOf(request)).toEqual(answerOf(request))
})

test.each([
  { request: { max_tokens: 1 }, content: 'one', finishReason: 'length' },
  { request: { max_completion_tokens: 0 }, content: '', finishReason: 'length' },
  { request: { max_tokens: 3 }, content: 'one two three', finishReason: 'stop' },
  { request: { stop: 'two' }, content: 'one ', finishReason: 'stop' },
  { request: { stop: ['three', 'one', ''] }, content: '', finishReason: 'stop' },
  { request: { stop: null, max_tokens: null }, content: 'one two three', finishReason: 'stop' },
])('honours $request', ({ request, content, finishReason }) => {
  const answer = answerOf({ model: 'm', messages: [user('one two three')], ...request })
  expect(answer).toMatchObject({ message: { content }, finishReason })
  expect(answer.usage.completion_tokens).toBe(tokensOf(content).length)
})

const tools = [
  {
    function: {
      name: 'first',
      parameters: {
        type: 'object',
        properties: { text: { type: 'string' }, on: { type: 'boolean' }, unit: { enum: ['C', 'F'] } },
      },
    },
  },
  { function: { name: 'second' } },
]
test.each([
  { name: 'auto, not named', request: {}, said: 'hello', called: null },
  { name: 'auto, named', request: {}, said: 'use second', called: 'second' },
  { name: 'none', request: { tool_choice: 'none' }, said: 'use second', called: null },
  { name: 'required', request: { tool_choice: 'required' }, said: 'hello', called: 'first' },
  { name: 'by name', request: { tool_choice: { function: { name: 'second' } } }, said: 'hello', called: 'second' },
])('tool choice $name', ({ request, said, called }) => {
  const { message, finishReason } = answerOf({ model: 'm', messages: [user(said)], tools, ...request })
  expect(message.tool_calls?.[0]?.function.name ?? null).toBe(called)
  expect(finishReason).toBe(called === null ? 'stop' : 'tool_calls')
})

test('arguments fit the schema', () => {
  const { message } = answerOf({ model: 'm', messages: [user('hi')], tools, tool_choice: 'required' })
  expect(JSON.parse(message.tool_calls?.[0]?.function.arguments ?? '')).toEqual({ text: 'hi', on: false, unit: 'C' })
})
