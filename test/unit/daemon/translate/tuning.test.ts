import { expect, test } from 'vitest'
import { anthropic } from '../../../../daemon/translate/anthropic/dialect.ts'
import type { Dialect } from '../../../../daemon/translate/dialect.ts'
import { google } from '../../../../daemon/translate/google/dialect.ts'
import { openAiChat } from '../../../../daemon/translate/openai-chat/dialect.ts'
import { openAiResponses } from '../../../../daemon/translate/openai-responses/dialect.ts'
import { bothTunings, type Tuning, tuned, tuningOfEmbeddings } from '../../../../daemon/translate/tuning.ts'

const NONE: Tuning = { parameters: [], systemPrefixes: [] }

function after(body: string, tuning: Partial<Tuning>, dialect: Dialect = openAiChat, generates = true) {
  const { body: sent, dropped } = tuned(dialect, Buffer.from(body), { ...NONE, ...tuning }, generates)
  return { sent: sent.toString(), dropped }
}

test.each<{ name: string; body: string; tuning: Partial<Tuning>; sent: string; dropped?: string[] }>([
  { name: 'nothing to do', body: '{ "a" : 1 }', tuning: {}, sent: '{ "a" : 1 }' },
  {
    name: 'a default where the client sets none; its values keep their bytes',
    body: '{"model":"m", "seed": 12345678901234567890 }',
    tuning: { parameters: [{ name: 'temperature', default: 0.2 }] },
    sent: '{"model":"m","seed":12345678901234567890,"temperature":0.2}',
  },
  {
    name: 'what the client sets stays',
    body: '{"temperature":1}',
    tuning: { parameters: [{ name: 'temperature', default: 0.2 }] },
    sent: '{"temperature":1}',
  },
  {
    name: 'a default that is an object',
    body: '{}',
    tuning: { parameters: [{ name: 'chat_template_kwargs', json: '{"enable_thinking":false}' }] },
    sent: '{"chat_template_kwargs":{"enable_thinking":false}}',
  },
  {
    name: 'what is dropped, also with a default',
    body: '{"seed":1,"user":"u"}',
    tuning: { parameters: [{ name: 'seed', drop: true, default: 2 }] },
    sent: '{"user":"u"}',
    dropped: ['seed'],
  },
  {
    name: 'what is replaced, whether it was set or not',
    body: '{"a":1,"b":{"c":1}}',
    tuning: {
      parameters: [
        { name: 'b', json: '{"d":2}', replaces: true },
        { name: 'e', json: '[3]', replaces: true },
      ],
    },
    sent: '{"a":1,"b":{"d":2},"e":[3]}',
  },
  {
    name: 'of one name the last counts',
    body: '{}',
    tuning: {
      parameters: [
        { name: 'top_p', default: 0.1 },
        { name: 'top_p', default: 0.9 },
      ],
    },
    sent: '{"top_p":0.9}',
  },
  {
    name: 'instructions in a message of their own',
    body: '{"messages":[{"role":"user","content":"hi"}]}',
    tuning: { systemPrefixes: ['A.', 'B.'] },
    sent: '{"messages":[{"role":"system","content":"A.\\n\\nB."},{"role":"user","content":"hi"}]}',
  },
  {
    name: "instructions in front of the client's",
    body: '{"messages":[{"role":"system","content":"C."}]}',
    tuning: { systemPrefixes: ['A.'] },
    sent: '{"messages":[{"role":"system","content":"A.\\n\\nC."}]}',
  },
])('$name', ({ body, tuning, sent, dropped = [] }) => {
  expect(after(body, tuning)).toEqual({ sent, dropped })
})

test.each([
  ['{"messages":[]}', '"system":"A."'],
  ['{"system":"C.","messages":[]}', '"system":"A.\\n\\nC."'],
  ['{"system":[{"type":"text","text":"C."}],"messages":[]}', '"system":[{"type":"text","text":"A."},'],
])("instructions of Anthropic's dialect: %s", (body, part) => {
  expect(after(body, { systemPrefixes: ['A.'] }, anthropic).sent).toContain(part)
})

test.each([
  [openAiResponses, '{"input":"hi"}', '"instructions":"A."'],
  [openAiResponses, '{"instructions":"C."}', '"instructions":"A.\\n\\nC."'],
  [google, '{"contents":[]}', '"systemInstruction":{"parts":[{"text":"A."}]}'],
  [google, '{"system_instruction":{"parts":[{"text":"C."}]}}', '[{"text":"A."},{"text":"C."}]'],
])('instructions of the others: %#', (dialect, body, part) => {
  expect(after(body, { systemPrefixes: ['A.'] }, dialect).sent).toContain(part)
})

test('where tokens are counted, too, what others are not to see is dropped', () => {
  const parameters = [
    { name: 'provider', drop: true },
    { name: 'top_k', default: 1 },
  ]
  const { sent, dropped } = after('{"messages":[],"provider":{}}', { parameters }, anthropic, false)
  expect([sent, dropped]).toEqual(['{"messages":[]}', ['provider']])
})

test('tokens are counted with the instructions and without parameters', () => {
  const tuning = { parameters: [{ name: 'top_k', default: 1 }], systemPrefixes: ['A.'] }
  expect(after('{"messages":[]}', tuning, anthropic, false).sent).toBe('{"messages":[],"system":"A."}')
})

test('embeddings get defaults of their own fields alone', () => {
  const parameters = [
    { name: 'temperature', default: 1 },
    { name: 'dimensions', default: 2 },
    { name: 'user', drop: true },
    { name: 'provider', json: '{}', replaces: true },
  ]
  const tuning = tuningOfEmbeddings({ parameters, systemPrefixes: ['A.'] })
  expect(after('{"user":"u","provider":{"sort":"price"}}', tuning)).toEqual({
    sent: '{"dimensions":2,"provider":{}}',
    dropped: ['user'],
  })
})

test('a dialect without a place for instructions refuses them', () => {
  const mute: Dialect = { ...openAiChat, name: 'mute' }
  const { withInstructions: _, ...without } = mute
  expect(() => after('{}', { systemPrefixes: ['A.'] }, without)).toThrow('cannot be said in mute')
})

test("the target's comes after its upstream's", () => {
  const first = { parameters: [{ name: 'a', default: 1 }], systemPrefixes: ['1'] }
  const second = { parameters: [{ name: 'a', default: 2 }], systemPrefixes: ['2'] }
  expect(bothTunings(first, undefined)).toBe(first)
  expect(bothTunings(first, second).systemPrefixes).toEqual(['1', '2'])
  expect(after('{}', { parameters: bothTunings(first, second).parameters }).sent).toBe('{"a":2}')
})
