import { request } from 'node:http'
import { join } from 'node:path'
import OpenAI from 'openai'
import { zodTextFormat } from 'openai/helpers/zod'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import {
  type FakeUpstream,
  STREAM_HEADERS,
  sendJson,
  startFakeUpstream,
  upstreamEnv,
} from '../support/fake-upstream.ts'
import { gatectl } from '../support/gatectl.ts'
import { openProblems } from '../wire/open-responses.ts'
import { eventsOf } from '../wire/run.ts'
import { problemsOf } from '../wire/schemas.ts'

// OpenAI's client, unmodified, in front of upstreams of other dialects that refuse what their types do not allow.

let chat: FakeUpstream
let messages: FakeUpstream
let gate: Daemon
let client: OpenAI
let environment: Readonly<Record<string, string>>

type Asked = { readonly stream?: boolean; readonly messages: readonly { role: string; content: unknown }[] }

beforeAll(async () => {
  chat = await startFakeUpstream(
    ({ body }, response) => {
      const asked: Asked = JSON.parse(body)
      const problems = problemsOf('openai:ChatCompletionCreateParams', asked)
      if (problems.length > 0) return sendJson(response, 400, { error: { message: problems.join('; ') } })
      const { text, call } = saidTo(asked, body)
      const calls = call
        ? [{ id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: ARGUMENTS } }]
        : []
      const finish = call ? 'tool_calls' : 'stop'
      const usage = { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 }
      const head = { id: 'chatcmpl-1', created: 1, model: 'gpt' }
      if (asked.stream !== true) {
        const message = { role: 'assistant', content: text, refusal: null, ...(call && { tool_calls: calls }) }
        const choices = [{ index: 0, message, finish_reason: finish, logprobs: null }]
        return sendJson(response, 200, { ...head, object: 'chat.completion', choices, usage })
      }
      const chunk = (delta: object, reason: string | null = null, rest: object = {}) =>
        `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: reason }], ...rest })}\n\n`
      response.writeHead(200, STREAM_HEADERS)
      response.write(chunk({ role: 'assistant', content: '' }))
      if (body.includes('never end')) return void response.write(chunk({ content: 'so far' }))
      for (const piece of text.match(/.{1,4}/gs) ?? []) response.write(chunk({ content: piece }))
      if (body.includes('break off')) return void response.end()
      for (const [index, one] of calls.entries()) response.write(chunk({ tool_calls: [{ index, ...one }] }))
      response.end(`${chunk({}, finish, { usage })}data: [DONE]\n\n`)
    },
    ['gpt'],
  )
  messages = await startFakeUpstream(
    ({ body }, response) => {
      const asked: Asked = JSON.parse(body)
      const problems = problemsOf('anthropic:MessageCreateParams', asked)
      if (problems.length > 0)
        return sendJson(response, 400, { type: 'error', error: { message: problems.join('; ') } })
      const { text, call } = saidTo(asked, body)
      const content = [
        { type: 'text', text, citations: null },
        ...(call ? [{ type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: JSON.parse(ARGUMENTS) }] : []),
      ]
      const stop = { stop_reason: call ? 'tool_use' : 'end_turn', stop_sequence: null }
      const usage = { input_tokens: 7, output_tokens: 3 }
      const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude' }
      if (asked.stream !== true) return sendJson(response, 200, { ...message, content, ...stop, usage })
      const event = (type: string, rest: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`
      response.writeHead(200, STREAM_HEADERS)
      response.write(event('message_start', { message: { ...message, content: [], stop_reason: null, usage } }))
      for (const [index, block] of content.entries()) {
        const isText = 'text' in block
        const start = isText ? { ...block, text: '' } : { ...block, input: {} }
        const delta = isText ? { type: 'text_delta', text } : { type: 'input_json_delta', partial_json: ARGUMENTS }
        response.write(event('content_block_start', { index, content_block: start }))
        response.write(event('content_block_delta', { index, delta }))
        if (body.includes('break off')) return void response.end()
        response.write(event('content_block_stop', { index }))
      }
      response.end(event('message_delta', { delta: stop, usage }) + event('message_stop', {}))
    },
    ['claude'],
  )
  environment = {
    ...upstreamEnv('chat', chat.url, ['gpt']),
    ...upstreamEnv('messages', messages.url, ['claude']),
    GATE_UPSTREAMS__MESSAGES__PROVIDER: 'anthropic',
  }
  gate = await startDaemon(environment)
  client = clientOf(gate.url, gate.key)
})

/** What Gate answered that the Open Responses document does not allow. */
const found: Promise<readonly string[]>[] = []
afterEach(async () => {
  expect((await Promise.all(found.splice(0))).flat()).toEqual([])
})

/** OpenAI's client; whatever it is answered is validated, too. */
function clientOf(url: string, apiKey: string): OpenAI {
  const fetchIt: typeof fetch = async (...asked) => {
    const response = await fetch(...asked)
    if (response.ok)
      found.push(
        response
          .clone()
          .text()
          .then(openProblemsIn, () => []),
      )
    return response
  }
  return new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0, fetch: fetchIt })
}

function openProblemsIn(text: string): readonly string[] {
  const all = text.startsWith('{') ? [JSON.parse(text)] : eventsOf(text).map(({ data }) => data)
  return all.filter((one) => !('deleted' in one)).flatMap(openProblems)
}
afterAll(async () => {
  await gate?.stop()
  gate?.remove()
  await chat?.close()
  await messages?.close()
})

const ARGUMENTS = '{"city":"Oslo"}'

/** What a model says: how much it was told; a call where it may, and the result of one when it has that. */
function saidTo({ messages: told }: Asked, body: string): { readonly text: string; readonly call: boolean } {
  if (body.includes('"json_schema"')) return { text: '{"degrees":4}', call: false }
  const hasResult = body.includes('it is 4')
  const call = body.includes('get_weather') && !hasResult
  return { text: hasResult ? 'It is 4 in Oslo.' : `told ${told.length}`, call }
}

const weather: OpenAI.Responses.FunctionTool = {
  type: 'function',
  name: 'get_weather',
  description: 'weather of a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  strict: false,
}

describe.each(['chat/gpt', 'messages/claude'])('an upstream of %s', (model) => {
  test('answers, with everything that a response has', async () => {
    const response = await client.responses.create({ model, input: 'Hi', metadata: { a: 'b' } })
    expect(response.output_text).toBe('told 1')
    expect(response).toMatchObject({
      status: 'completed',
      store: true,
      metadata: { a: 'b' },
      usage: { total_tokens: 10 },
    })
  })

  test('streams, as events and through the helper', async () => {
    const types: string[] = []
    const stream = await client.responses.create({ model, input: 'Hi', stream: true })
    for await (const { type } of stream) types.push(type)
    expect(types.slice(0, 4)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
    ])
    expect(types.at(-1)).toBe('response.completed')
    const helper = client.responses.stream({ model, input: 'Hi' })
    let text = ''
    helper.on('response.output_text.delta', ({ delta }) => {
      text += delta
    })
    const final = await helper.finalResponse()
    expect([text, final.output_text]).toEqual(['told 1', 'told 1'])
  })

  test.each([false, true])('runs a tool over two turns (stream: %s)', async (isStream) => {
    const ask = async (input: OpenAI.Responses.ResponseInput) => {
      const asked = { model, tools: [weather], input }
      return isStream ? client.responses.stream(asked).finalResponse() : client.responses.create(asked)
    }
    const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'Oslo?' }]
    const first = await ask(input)
    const call = first.output.find(({ type }) => type === 'function_call')
    if (call?.type !== 'function_call') throw new Error('no call')
    expect(JSON.parse(call.arguments)).toEqual({ city: 'Oslo' })
    const result = { type: 'function_call_output' as const, call_id: call.call_id, output: 'it is 4' }
    const second = await ask([...input, ...first.output, result] as OpenAI.Responses.ResponseInput)
    expect(second.output_text).toBe('It is 4 in Oslo.')
  })

  test('parses an answer of a schema', async () => {
    const format = zodTextFormat(z.object({ degrees: z.number() }), 'weather')
    const parsed = await client.responses.parse({ model, input: 'Oslo?', text: { format } })
    expect(parsed.output_parsed).toEqual({ degrees: 4 })
  })

  test('goes on where an earlier response ended, which is kept here', async () => {
    const first = await client.responses.create({ model, input: 'one' })
    const stream = client.responses.stream({ model, input: 'two', previous_response_id: first.id })
    const second = await stream.finalResponse()
    expect(second.output_text).toBe('told 3')
    expect(second.previous_response_id).toBe(first.id)
    const third = await client.responses.create({
      model,
      input: [
        { type: 'item_reference', id: second.output[0]?.id ?? '' },
        { role: 'user', content: 'three' },
      ],
      previous_response_id: first.id,
    })
    expect(third.output_text).toBe('told 3')
  })

  test('a call is answered by its id alone', async () => {
    const first = await client.responses.create({ model, tools: [weather], input: 'Oslo?' })
    const call = first.output.find(({ type }) => type === 'function_call')
    if (call?.type !== 'function_call') throw new Error('no call')
    const second = await client.responses.create({
      model,
      tools: [weather],
      previous_response_id: first.id,
      input: [{ type: 'function_call_output', call_id: call.call_id, output: 'it is 4' }],
    })
    expect(second.output_text).toBe('It is 4 in Oslo.')
  })

  test('is asked for again, as a whole and as a stream, with its input, and is deleted', async () => {
    const { id } = await client.responses.create({ model, input: 'Hi' })
    const again = await client.responses.retrieve(id)
    expect(again).toMatchObject({ id, status: 'completed', output_text: 'told 1' })
    const replayed = await client.responses.stream({ response_id: id }).finalResponse()
    expect(replayed.output).toMatchObject(again.output)
    const items = await client.responses.inputItems.list(id)
    expect(items.data).toMatchObject([{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }])
    await expect(client.responses.cancel(id)).rejects.toMatchObject({ status: 400 })
    await client.responses.delete(id)
    await expect(client.responses.retrieve(id)).rejects.toMatchObject({ status: 404, code: 'response_not_found' })
  })

  test('runs in the background, is followed from any event and goes on from there', async () => {
    const first = await client.responses.create({ model, input: 'Hi', background: true })
    expect(first).toMatchObject({ status: 'queued', background: true })
    let done = await client.responses.retrieve(first.id)
    while (done.status === 'queued' || done.status === 'in_progress') done = await client.responses.retrieve(first.id)
    expect(done).toMatchObject({ id: first.id, status: 'completed', output_text: 'told 1', background: true })
    const stream = await client.responses.create({
      model,
      input: 'two',
      previous_response_id: first.id,
      background: true,
      stream: true,
    })
    let id = ''
    for await (const event of stream) {
      if (event.type !== 'response.created') continue
      id = event.response.id
      break
    }
    const numbers: number[] = []
    for await (const event of await client.responses.retrieve(id, { stream: true, starting_after: 1 })) {
      numbers.push(event.sequence_number)
      if (event.type === 'response.completed') expect(event.response).toMatchObject({ id, background: true })
    }
    expect(numbers).toEqual(numbers.map((_, index) => index + 2))
    const helper = client.responses.stream({ response_id: id, starting_after: 3 })
    expect(await helper.finalResponse()).toMatchObject({ id, output_text: 'told 3', previous_response_id: first.id })
    expect(await client.responses.cancel(id)).toMatchObject({ id, status: 'completed' })
  })

  test('input is gone through page by page, from either end', async () => {
    const input = ['a', 'b', 'c'].map((content) => ({ role: 'user' as const, content }))
    const { id } = await client.responses.create({ model, input })
    const textsOf = async (query: object) => {
      const texts: unknown[] = []
      for await (const item of client.responses.inputItems.list(id, { limit: 1, ...query })) {
        texts.push(item.type === 'message' ? item.content : item)
      }
      return texts.map((content) => (content as readonly { readonly text: string }[])[0]?.text)
    }
    expect(await textsOf({})).toEqual(['c', 'b', 'a'])
    expect(await textsOf({ order: 'asc' })).toEqual(['a', 'b', 'c'])
    await expect(client.responses.inputItems.list(id, { after: 'msg_none' })).rejects.toMatchObject({ status: 400 })
  })

  test('a conversation is compacted, and goes on from there', async () => {
    const compacted = await client.responses.compact({ model, input: [{ role: 'user', content: 'one' }] })
    expect(compacted).toMatchObject({ object: 'response.compaction', output: [{ type: 'compaction' }] })
    expect(problemsOf('openai:CompactedResponse', compacted)).toEqual([])
    const input = [...compacted.output, { role: 'user', content: 'two' }] as OpenAI.Responses.ResponseInput
    await client.responses.create({ model, input })
    const upstream = model === 'chat/gpt' ? chat : messages
    expect(upstream.seen.at(-1)?.body).toContain('summed up:\\n\\ntold')
  })

  test('a stream that breaks off is a response that failed', async () => {
    const final = await client.responses.stream({ model, input: 'break off' }).finalResponse()
    expect(final).toMatchObject({ status: 'failed', error: { code: 'server_error' } })
  })

  test('what it refuses is an error of the client', async () => {
    const refused = client.responses.create({ model, input: 'Hi', conversation: 'conv_1' })
    await expect(refused).rejects.toMatchObject({ status: 400, param: 'conversation' })
    const counted = await client.responses.inputTokens.count({ model, input: 'Hello there' })
    expect(counted).toMatchObject({ object: 'response.input_tokens', input_tokens: expect.any(Number) })
    const { id } = await client.responses.create({ model, input: 'Hi' })
    const after = await client.responses.inputTokens.count({ model, input: 'Hello there', previous_response_id: id })
    expect(after.input_tokens).toBeGreaterThan(counted.input_tokens)
  })
})

const model = 'chat/gpt'

test('what is not to be stored is not, and what is not there cannot be gone on from', async () => {
  const { id } = await client.responses.create({ model, input: 'Hi', store: false })
  await expect(client.responses.retrieve(id)).rejects.toMatchObject({ status: 404 })
  const going = client.responses.create({ model, input: 'Hi', previous_response_id: id })
  await expect(going).rejects.toMatchObject({ status: 404, param: 'previous_response_id' })
})

async function anotherKey(): Promise<string> {
  const made = await gatectl(['--socket', join(gate.stateDirectory, 'admin.sock'), 'token', 'create', '--json'])
  return JSON.parse(made.stdout).token
}

test('a response is that of one key', async () => {
  const { id } = await client.responses.create({ model, input: 'Hi' })
  const other = client.withOptions({ apiKey: await anotherKey() })
  await expect(other.responses.retrieve(id)).rejects.toMatchObject({ status: 404 })
  await expect(other.responses.delete(id)).rejects.toMatchObject({ status: 404 })
  const going = other.responses.create({ model, input: 'Hi', previous_response_id: id })
  await expect(going).rejects.toMatchObject({ status: 404 })
  expect(await client.responses.retrieve(id)).toMatchObject({ id })
})

test('a WebSocket is refused in words that Codex goes on from', async () => {
  const status = await new Promise((resolve, reject) => {
    const headers = { upgrade: 'websocket', connection: 'Upgrade', authorization: `Bearer ${gate.key}` }
    request(`${gate.url}/v1/responses`, { headers }, (response) => {
      resolve(response.statusCode)
      response.resume()
    })
      .on('error', reject)
      .end()
  })
  expect(status).toBe(426)
})

test('a response in the background has failed when Gate was killed meanwhile', async () => {
  const { id } = await client.responses.create({ model, input: 'never end', background: true })
  let running = await client.responses.retrieve(id)
  while (running.status === 'queued') running = await client.responses.retrieve(id)
  expect(running).toMatchObject({ id, status: 'in_progress' })
  await gate.kill()
  const { key } = gate
  gate = await startDaemon(environment, gate.stateDirectory)
  client = clientOf(gate.url, key)
  const lost = await client.responses.retrieve(id)
  expect(lost).toMatchObject({ id, status: 'failed', error: { code: 'server_error' }, background: true })
  expect(await client.responses.cancel(id)).toMatchObject({ status: 'failed' })
  const events: string[] = []
  for await (const { type } of await client.responses.retrieve(id, { stream: true })) events.push(type)
  expect(events.at(-1)).toBe('response.failed')
  const items = await client.responses.inputItems.list(id)
  expect(items.data).toMatchObject([{ content: [{ text: 'never end' }] }])
})
