import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import {
  completion,
  DONE,
  type FakeUpstream,
  frame,
  STREAM_HEADERS,
  startFakeUpstream,
} from '../../../support/fake-upstream.ts'
import { eventsIn, named } from '../../../support/json-names.ts'

// Arguments of tools, from an upstream of chat completions to clients of every dialect.

let reply: { readonly args: string; readonly finish?: string; readonly isStream: boolean; readonly pieces?: number }
let upstream: FakeUpstream
let backup: FakeUpstream
let plane: Awaited<ReturnType<typeof startDataPlane>>

const call = (args: string) => [{ index: 0, id: 'c1', type: 'function', function: { name: 'look', arguments: args } }]
const more = (args: string) => [{ index: 0, function: { arguments: args } }]

beforeAll(async () => {
  upstream = await startFakeUpstream((_, response) => {
    const { args, finish = 'tool_calls', isStream, pieces = 4 } = reply
    if (!isStream) {
      const whole = completion('')
      const [choice] = whole.choices
      const message = { role: 'assistant', content: null, tool_calls: call(args) }
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ ...whole, choices: [{ ...choice, message, finish_reason: finish }] }))
      return
    }
    response.writeHead(200, STREAM_HEADERS)
    response.write(frame({ role: 'assistant', tool_calls: call('') }))
    const length = Math.ceil(args.length / pieces)
    for (let at = 0; at < args.length; at += length) {
      response.write(frame({ tool_calls: more(args.slice(at, at + length)) }))
    }
    response.end(frame({}, finish) + DONE)
  })
  backup = await startFakeUpstream((_, response) => {
    response.writeHead(200, STREAM_HEADERS)
    response.end(frame({ content: 'from the backup' }) + frame({}, 'stop') + DONE)
  })
  const base = { provider: 'vllm', models: ['mock'] }
  plane = await startDataPlane({
    upstreams: {
      checked: { ...base, base_url: upstream.url },
      repaired: { ...base, base_url: upstream.url, tool_arguments: 'repair' },
      passed: { ...base, base_url: upstream.url, tool_arguments: 'pass' },
      grade: { ...base, base_url: upstream.url, dialects: { openai_chat: 'repair' } },
      backup: { ...base, base_url: backup.url },
    },
    models: { both: { targets: ['checked', 'backup'].map((name) => ({ upstream: name, model: 'mock' })) } },
  })
})
afterAll(async () => {
  await plane.stop()
  await upstream.close()
  await backup.close()
})

const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer' } },
  required: ['city'],
}

type Client = {
  readonly name: string
  readonly path: (isStream: boolean, model: string) => string
  readonly body: (isStream: boolean, model: string) => object
  /** The arguments that a client sees, of a whole answer or of the events of a stream. */
  readonly args: (events: readonly unknown[], isStream: boolean) => unknown
  readonly failed: RegExp
}

const CLIENTS: readonly Client[] = [
  {
    name: 'anthropic',
    path: () => '/v1/messages',
    body: (stream, model) => ({
      model,
      stream,
      max_tokens: 9,
      messages: [{ role: 'user', content: 'hi' }],
      tools: [{ name: 'look', input_schema: SCHEMA }],
    }),
    args: (events, isStream) =>
      isStream ? JSON.parse(named(events, 'partial_json').join('')) : named(named(events, 'content'), 'input')[0],
    failed: /event: error|"type":"error"/,
  },
  {
    name: 'openai-responses',
    path: () => '/v1/responses',
    body: (stream, model) => ({
      model,
      stream,
      input: 'hi',
      tools: [{ type: 'function', name: 'look', parameters: SCHEMA }],
    }),
    args: (events, isStream) => {
      const [whole] = named(named(events, 'output'), 'arguments')
      const deltas = named(events, 'delta').filter((delta) => typeof delta === 'string')
      if (isStream) expect(deltas.join('')).toBe(whole)
      return JSON.parse(String(whole))
    },
    failed: /response\.failed|"error":\{/,
  },
  {
    name: 'google',
    path: (isStream, model) =>
      `/v1beta/models/${model}:${isStream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    body: () => ({
      contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
      tools: [{ functionDeclarations: [{ name: 'look', parametersJsonSchema: SCHEMA }] }],
    }),
    args: (events) => named(named(events, 'functionCall'), 'args')[0],
    failed: /"error":\{/,
  },
  {
    name: 'ollama',
    path: () => '/api/chat',
    body: (stream, model) => ({
      model,
      stream,
      messages: [{ role: 'user', content: 'hi' }],
      tools: [{ type: 'function', function: { name: 'look', parameters: SCHEMA } }],
    }),
    args: (events) => named(named(events, 'tool_calls'), 'arguments')[0],
    failed: /"error":/,
  },
  {
    name: 'openai-chat',
    path: () => '/v1/chat/completions',
    body: (stream, model) => ({
      model: model.replace('checked', 'grade'),
      stream,
      messages: [{ role: 'user', content: 'hi' }],
      tools: [{ type: 'function', function: { name: 'look', parameters: SCHEMA } }],
    }),
    args: (events) => JSON.parse(named(events, 'arguments').join('')),
    failed: /"error":\{/,
  },
]

async function ask(client: Client, isStream: boolean, model = 'checked/mock') {
  const answer = await fetch(`${plane.url}${client.path(isStream, model)}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(client.body(isStream, model)),
  })
  return { status: answer.status, text: await answer.text() }
}

const both = CLIENTS.flatMap((client) => [true, false].map((isStream) => ({ client, isStream, name: client.name })))

describe.each(both)('a client of $name, streaming: $isStream', ({ client, isStream }) => {
  test.each([
    { kind: 'sound', args: '{"city":"Oslo","days":3}', seen: { city: 'Oslo', days: 3 } },
    { kind: 'nearly JSON', args: "```json\n{'city':'Oslo',}\n```", seen: { city: 'Oslo' } },
    { kind: 'of another type', args: '{"city":"Oslo","days":"3"}', seen: { city: 'Oslo', days: 3 } },
    { kind: 'long', args: `{"city":"${'x'.repeat(3_000)}"}`, seen: { city: 'x'.repeat(3_000) }, pieces: 40 },
  ])('arguments that are $kind arrive', async ({ args, seen, pieces = 4 }) => {
    reply = { args, isStream, pieces }
    const { status, text } = await ask(client, isStream)
    expect(status).toBe(200)
    expect(client.args(eventsIn(text), isStream)).toEqual(seen)
    expect(text).not.toMatch(client.failed)
  })

  test.each([
    { kind: 'no JSON', args: 'Oslo', says: 'wrong arguments: not a JSON object' },
    { kind: 'cut', args: '{"city":"Os', says: 'wrong arguments: not a JSON object' },
    { kind: 'incomplete', args: '{"days":3}', says: 'must have required property' },
    {
      kind: 'long and incomplete',
      args: `{"town":"${'x'.repeat(3_000)}"}`,
      says: 'must have required property',
      isLong: true,
    },
  ])('arguments that are $kind are an error that names the tool', async ({ args, says, isLong = false }) => {
    reply = { args, isStream, pieces: 40 }
    const { status, text } = await ask(client, isStream)
    // who gets calls whole has been told nothing of it yet
    const isBegun = isStream && isLong && !['google', 'ollama'].includes(client.name)
    expect(status).toBe(isBegun ? 200 : 502)
    expect(text).toMatch(client.failed)
    expect(text).toContain(says)
    expect(text).toContain('\\"look\\"')
    if (status === 502) expect(JSON.parse(text)).toBeTypeOf('object')
    expect(plane.rows.at(-1)).toMatchObject({ outcome: status === 502 ? 'refused' : 'truncated' })
    expect(plane.rows.at(-1)?.outputTokens).toBeGreaterThan(0)
  })
})

const [anthropic] = CLIENTS
if (anthropic === undefined) throw new Error('no client')

test('what another target may do better, it is asked', async () => {
  reply = { args: 'Oslo', isStream: true }
  const { status, text } = await ask(anthropic, true, 'both')
  expect({ status, isBackup: text.includes('from the backup') }).toEqual({ status: 200, isBackup: true })
  expect(text.match(/message_start/g)).toHaveLength(2) // the name of its event, and its type
})

test.each([true, false])('a call that the limit has cut is left out, streaming: %s', async (isStream) => {
  reply = { args: '{"city":"Os', isStream, finish: 'length' }
  const { status, text } = await ask(anthropic, isStream)
  expect({ status, hasCall: text.includes('"type":"tool_use"'), isCut: text.includes('max_tokens') }).toEqual({
    status: 200,
    hasCall: false,
    isCut: true,
  })
})

test.each([
  { model: 'repaired/mock', args: '{"days":"3"}', seen: { days: '3' }, why: 'an object that does not fit passes' },
  {
    model: 'repaired/mock',
    args: "{'city':'Oslo','days':'3'}",
    seen: { city: 'Oslo', days: 3 },
    why: 'it is repaired',
  },
  { model: 'passed/mock', args: '{"days":"3"}', seen: { days: '3' }, why: 'nothing is looked at' },
])('tool_arguments of $model: $why', async ({ model, args, seen }) => {
  for (const isStream of [true, false]) {
    reply = { args, isStream }
    const { status, text } = await ask(anthropic, isStream, model)
    expect(status).toBe(200)
    expect(anthropic.args(eventsIn(text), isStream)).toEqual(seen)
  }
})

test('arguments that are to pass come in the pieces they came in', async () => {
  reply = { args: '{"city":"Oslo"}', isStream: true, pieces: 5 }
  const { text } = await ask(anthropic, true, 'passed/mock')
  expect(named(eventsIn(text), 'partial_json')).toHaveLength(5)
})

describe.each([true, false])('streamed: %s', (isStream) => {
  test('what the model wrote is told the client alone, and not the log', async () => {
    reply = { args: '{"city":"Oslo","days":{"canary":1}}', isStream }
    const before = plane.lines.length
    const client = CLIENTS.find(({ name }) => name === 'anthropic')
    const schema = { ...SCHEMA, properties: { days: { additionalProperties: { type: 'array' } } } }
    const asked = { ...client?.body(isStream, 'checked/mock'), tools: [{ name: 'look', input_schema: schema }] }
    const answer = await fetch(`${plane.url}/v1/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify(asked),
    })
    expect(await answer.text()).toContain('/days/canary must be array')
    const log = JSON.stringify(plane.lines.slice(before))
    expect(log).toContain('the upstream called the tool \\"look\\" with wrong arguments')
    expect(log).not.toContain('canary')
  })
})
