// The id of a request where clients look for it: in a header of every answer, and in the errors of Anthropic's form.
import Anthropic from '@anthropic-ai/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import { type FakeUpstream, STREAM_HEADERS, startFakeUpstream } from '../../../support/fake-upstream.ts'

let upstream: FakeUpstream
let gate: Awaited<ReturnType<typeof startDataPlane>>
const refusal = (request_id?: string) => ({
  type: 'error',
  error: { type: 'invalid_request_error', message: 'no' },
  request_id,
})

beforeAll(async () => {
  upstream = await startFakeUpstream(({ body }, response) => {
    const { model } = JSON.parse(body)
    const json = { 'content-type': 'application/json' }
    switch (model) {
      case 'bare':
        return void response.writeHead(400, json).end(JSON.stringify(refusal()))
      case 'named':
        return void response.writeHead(400, { ...json, 'request-id': 'req_up' }).end(JSON.stringify(refusal('req_up')))
      case 'limited':
        return void response.writeHead(429, json).end(JSON.stringify(refusal()))
      case 'text':
        return void response.writeHead(400, { 'content-type': 'text/plain' }).end('no')
      case '402':
      case '413':
      case '500':
      case '529':
        return void response.writeHead(Number(model), json).end('{"error":{"message":"no"}}')
      default:
        response.writeHead(200, STREAM_HEADERS)
        response.write(
          'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant","content":[],"model":"x","usage":{"input_tokens":1,"output_tokens":1}}}\n\n',
        )
        response.write(
          'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
        )
        response.write(
          'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}\n\n',
        )
        setImmediate(() => response.destroy())
    }
  })
  const base = {
    base_url: upstream.url,
    models: ['bare', 'named', 'limited', 'text', 'cut', '402', '413', '500', '529'],
  }
  gate = await startDataPlane({
    upstreams: { claude: { provider: 'anthropic', ...base }, chat: { provider: 'custom', ...base } },
  })
})
afterAll(async () => {
  await gate.stop()
  await upstream.close()
})

const ask = (model: string, { key = KEY, stream = false, path = '/v1/messages' } = {}) =>
  fetch(gate.url + path, {
    method: 'POST',
    headers: { 'x-api-key': key, 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify(
      path.startsWith('/v1beta/')
        ? { contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }
        : { model, stream, max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] },
    ),
  })

describe("an error in Anthropic's form", () => {
  test.each([
    { name: 'for a wrong key', model: 'claude/bare', options: { key: 'wrong' }, status: 401 },
    { name: 'for an unknown model', model: 'unknown', status: 404 },
    { name: 'of an upstream that gives no id', model: 'claude/bare', status: 400 },
    { name: 'of an upstream that is limited', model: 'claude/limited', status: 429 },
    { name: 'of an upstream that sends text', model: 'claude/text', status: 400 },
    { name: 'that is translated', model: 'chat/bare', status: 400 },
  ])('$name has the id of the request', async ({ model, options, status }) => {
    const answer = await ask(model, options)
    expect(answer.status).toBe(status)
    const id = answer.headers.get('x-request-id')
    expect(id).toMatch(/^req_/)
    expect(answer.headers.get('request-id')).toBe(id)
    expect(await answer.json()).toMatchObject({ type: 'error', request_id: id })
  })

  test('keeps the id that its upstream gave it', async () => {
    const answer = await ask('claude/named')
    expect(answer.headers.get('request-id')).toBe('req_up')
    expect(answer.headers.get('x-request-id')).not.toBe('req_up')
    expect(await answer.json()).toMatchObject({ request_id: 'req_up' })
  })

  test.each(['claude/cut', 'chat/cut'])('in a stream has it, too (%s)', async (model) => {
    const answer = await ask(model, { stream: true })
    const text = await answer.text()
    const id = answer.headers.get('x-request-id')
    expect(answer.headers.get('request-id')).toBe(id)
    expect(text).toContain(`"request_id":"${id}"`)
  })

  test("is found by Anthropic's own client", async () => {
    const client = new Anthropic({ apiKey: KEY, baseURL: gate.url, maxRetries: 0 })
    const asked = client.messages.create({
      model: 'unknown',
      max_tokens: 9,
      messages: [{ role: 'user', content: 'hi' }],
    })
    await expect(asked).rejects.toMatchObject({ requestID: expect.stringMatching(/^req_/) })
  })
})

// what an upstream of chats answers, and what clients of Anthropic and Google are told
test.each([
  [402, 'billing_error', 'RESOURCE_EXHAUSTED'],
  [413, 'request_too_large', 'INVALID_ARGUMENT'],
  [500, 'api_error', 'INTERNAL'],
  [529, 'overloaded_error', 'UNAVAILABLE'],
])('a translated error says its status: %i', async (status, type, name) => {
  const answer = await ask(`chat/${status}`)
  expect([answer.status, await answer.json()]).toMatchObject([status, { error: { type } }])
  const told = await ask('', { path: `/v1beta/models/chat%2F${status}:generateContent` })
  expect([told.status, await told.json()]).toMatchObject([status, { error: { code: status, status: name } }])
})

test.each([
  '/v1/chat/completions',
  '/v1/responses',
  '/v1beta/models/x:generateContent',
  '/api/chat',
  '/nowhere',
  '/v1/messages',
])('an error of %s has x-request-id', async (path) => {
  const answer = await ask('unknown', { path })
  expect(answer.status).toBeGreaterThanOrEqual(400)
  expect(answer.headers.get('x-request-id')).toMatch(/^req_/)
})

test.each(['/v1/models/KEY', '/v1/files/KEY', '/KEY', '/v1/streams/KEY', '/v1/responses/KEY'])(
  'a key in the path is in no error and in no line of the log: %s',
  async (path) => {
    const { token } = gate.tokens.create('in a path', ['admin'], null)
    const before = gate.lines.length
    const answer = await fetch(gate.url + path.replace('KEY', token), { headers: { 'x-api-key': KEY } })
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(await answer.text()).not.toContain(token)
    // the writer of the log takes it out of what the gateway hands it
    expect(gate.lines.slice(before).map(({ message }) => message)).toContain('request')
  },
)

test('a key in place of a model is in no row', async () => {
  const { token } = gate.tokens.create('as a model', ['admin'], null)
  await (await ask(`claude/${token}`)).text()
  expect(JSON.stringify(gate.rows)).not.toContain(token)
})
