import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import { upstreamEnv } from '../support/fake-upstream.ts'

// The upstream is a second Gate in a process of its own, with its echo: real HTTP on both sides.
let upstream: Daemon
let gate: Daemon
let client: OpenAI

beforeAll(async () => {
  upstream = await startDaemon()
  gate = await startDaemon({
    ...upstreamEnv('second', `${upstream.url}/v1`, ['echo', 'other']),
    GATE_UPSTREAMS__SECOND__API_KEY: upstream.key,
    GATE_MODELS: JSON.stringify({ coder: { targets: [{ upstream: 'second', model: 'echo' }], category: 'thinking' } }),
  })
  client = new OpenAI({ apiKey: gate.key, baseURL: `${gate.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  for (const daemon of [gate, upstream]) {
    await daemon?.stop()
    daemon?.remove()
  }
})

const model = 'second/echo'
const user = (content: string) => [{ role: 'user' as const, content }]

test('answers a chat completion', async () => {
  const answer = await client.chat.completions.create({ model, messages: user('one two three') })
  expect(answer.choices[0]?.message.content).toBe('one two three')
  expect(answer.choices[0]?.finish_reason).toBe('stop')
  expect(answer.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 3, total_tokens: 6 })
})

test.each(['coder', 'thinking', 'second/echo', 'echo'])('takes the model name %s', async (name) => {
  const answer = await client.chat.completions.create({ model: name, messages: user('hi') })
  expect(answer.choices[0]?.message.content).toBe('hi')
})

test('honours max_tokens and stop', async () => {
  const cut = await client.chat.completions.create({ model, max_tokens: 2, messages: user('one two three') })
  expect(cut.choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'one two' } })
  const stopped = await client.chat.completions.create({ model, stop: ['three'], messages: user('one two three four') })
  expect(stopped.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'one two ' } })
})

test('streams token by token, with usage only when asked for', async () => {
  const stream = await client.chat.completions.create({
    model,
    stream: true,
    stream_options: { include_usage: true },
    messages: user('alpha beta gamma délta'),
  })
  const pieces: string[] = []
  let usage: OpenAI.CompletionUsage | null | undefined
  for await (const chunk of stream) {
    const content = chunk.choices[0]?.delta.content
    if (typeof content === 'string' && content !== '') pieces.push(content)
    if (chunk.usage !== undefined && chunk.usage !== null) usage = chunk.usage
  }
  expect(pieces).toEqual(['alpha', ' beta', ' gamma', ' délta'])
  expect(usage).toMatchObject({ prompt_tokens: 4, completion_tokens: 4 })

  const plain = await client.chat.completions.create({ model, stream: true, messages: user('x') })
  for await (const chunk of plain) expect(chunk.usage ?? null).toBeNull()
})

const tools: OpenAI.Chat.Completions.ChatCompletionTool[] = [
  {
    type: 'function',
    function: {
      name: 'get_weather',
      parameters: { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } } },
    },
  },
]

test('calls a tool on request, whole and streamed alike, and takes its answer', async () => {
  const question = user('weather in "Liège" please')
  const choice = { type: 'function' as const, function: { name: 'get_weather' } }
  const answer = await client.chat.completions.create({ model, tools, tool_choice: choice, messages: question })
  const call = answer.choices[0]?.message.tool_calls?.[0]
  expect(answer.choices[0]?.finish_reason).toBe('tool_calls')
  expect(call?.type === 'function' && JSON.parse(call.function.arguments)).toEqual({
    city: 'weather in "Liège" please',
    days: 0,
  })

  const stream = client.chat.completions.stream({ model, tools, tool_choice: 'required', messages: question })
  const final = await stream.finalMessage()
  expect(final.tool_calls).toMatchObject([{ id: call?.id, function: call?.type === 'function' ? call.function : {} }])

  const after = await client.chat.completions.create({
    model,
    tools,
    messages: [...question, final, { role: 'tool', tool_call_id: call?.id ?? '', content: '21 degrees' }],
  })
  expect(after.choices[0]?.message.content).toBe('21 degrees')
})

test('an aborted stream ends at the upstream too', async () => {
  const before = await inFlight(upstream)
  const stream = await client.chat.completions.create({
    model,
    stream: true,
    messages: user('word '.repeat(200_000)),
  })
  const seen: unknown[] = []
  for await (const chunk of stream) {
    seen.push(chunk)
    if (seen.length === 5) stream.controller.abort()
  }
  expect(seen.length).toBeLessThan(10_000)
  await until(async () => (await inFlight(upstream)) === before && (await inFlight(gate)) === before, 5_000)
})

test('a wrong key is an authentication error in OpenAI shape', async () => {
  const stranger = new OpenAI({ apiKey: 'gate_wrong', baseURL: `${gate.url}/v1`, maxRetries: 0 })
  const error = await stranger.chat.completions.create({ model, messages: user('x') }).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(OpenAI.AuthenticationError)
  expect(error).toMatchObject({ status: 401, code: 'invalid_key', type: 'authentication_error' })
  expect(String(error)).not.toContain('gate_wrong')
})

test('an unknown model is not found, and near names are told', async () => {
  const error = await client.chat.completions.create({ model: 'codr', messages: user('x') }).catch((e: unknown) => e)
  expect(error).toBeInstanceOf(OpenAI.NotFoundError)
  expect(error).toMatchObject({ status: 404, code: 'model_not_found', param: 'model' })
  expect(String(error)).toContain('did you mean "coder"')
})

test('lists models and shows one', async () => {
  const ids: string[] = []
  for await (const listed of client.models.list()) ids.push(listed.id)
  expect(ids).toEqual(expect.arrayContaining(['coder', 'thinking', 'echo', 'other', 'second/echo']))
  expect(await client.models.retrieve('coder')).toMatchObject({ id: 'coder', object: 'model', owned_by: 'gate' })
})

/** Requests in flight, without the one that asks. */
async function inFlight(daemon: Daemon): Promise<number> {
  const response = await fetch(`${daemon.url}/metrics`, { headers: { authorization: `Bearer ${daemon.key}` } })
  return Number(/^gate_requests_in_flight (\d+)/m.exec(await response.text())?.[1]) - 1
}
