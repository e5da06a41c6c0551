import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import {
  completion,
  DONE,
  type FakeUpstream,
  frame,
  STREAM_HEADERS,
  startFakeUpstream,
} from '../../../support/fake-upstream.ts'

// What a client of one dialect is told of an upstream of another one that fails.

type Reply = {
  readonly status?: number
  readonly headers?: Record<string, string>
  readonly chunks: readonly (string | Buffer)[]
  /** The connection is reset after the chunks. */
  readonly breaks?: boolean
}

let reply: Reply
let upstream: FakeUpstream
let plane: Awaited<ReturnType<typeof startDataPlane>>
beforeAll(async () => {
  upstream = await startFakeUpstream((_, response) => {
    response.writeHead(reply.status ?? 200, reply.headers ?? { 'content-type': 'application/json' })
    for (const chunk of reply.chunks) response.write(chunk)
    if (reply.breaks === true) setImmediate(() => response.destroy())
    else response.end()
  })
  plane = await startDataPlane({
    upstreams: { engine: { provider: 'vllm', base_url: upstream.url, models: ['mock'] } },
  })
})
afterAll(async () => {
  await plane.stop()
  await upstream.close()
})

async function ask(stream: boolean) {
  const answer = await fetch(`${plane.url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': KEY, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'mock', max_tokens: 9, stream, messages: [{ role: 'user', content: 'hi' }] }),
  })
  return { status: answer.status, headers: answer.headers, text: await answer.text() }
}

const HTML = '<html>Bad Gateway</html>'
const json = (value: unknown) => [JSON.stringify(value)]

test.each<{ name: string; reply: Reply; status: number; type: string; says: string }>([
  {
    name: 'a page of a proxy',
    reply: { status: 502, headers: { 'content-type': 'text/html' }, chunks: [HTML] },
    status: 502,
    type: 'api_error',
    says: 'answered 502',
  },
  {
    name: 'a page as success',
    reply: { headers: { 'content-type': 'text/html' }, chunks: [HTML] },
    status: 502,
    type: 'api_error',
    says: 'other than a chat completion',
  },
  {
    name: 'a refusal as text',
    reply: { status: 400, headers: { 'content-type': 'text/plain' }, chunks: ['too long'] },
    status: 400,
    type: 'invalid_request_error',
    says: 'too long',
  },
  {
    name: 'a refusal as JSON',
    reply: { status: 422, chunks: json({ error: { message: 'no such field' } }) },
    status: 422,
    type: 'invalid_request_error',
    says: 'no such field',
  },
  {
    name: 'a refusal with a broken body',
    reply: { status: 400, chunks: ['{"error"'] },
    status: 400,
    type: 'invalid_request_error',
    says: 'answered 400',
  },
  {
    name: 'a refusal of the key',
    reply: { status: 401, chunks: json({ error: { message: 'sk-wrong' } }) },
    status: 502,
    type: 'api_error',
    says: 'upstreams.engine.api_key',
  },
  {
    name: 'too many requests',
    reply: { status: 429, chunks: json({ error: { message: 'slower' } }) },
    status: 429,
    type: 'rate_limit_error',
    says: 'slower',
  },
  {
    name: 'an error as success',
    reply: { chunks: json({ error: { message: 'out of memory' } }) },
    status: 502,
    type: 'api_error',
    says: 'out of memory',
  },
  {
    name: 'arguments that are no JSON',
    reply: { chunks: json(withCall('{"city":')) },
    status: 502,
    type: 'api_error',
    says: 'not a JSON object',
  },
])('$name, whole', async ({ reply: next, status, type, says }) => {
  reply = next
  const answer = await ask(false)
  const body = JSON.parse(answer.text)
  expect(answer.status).toBe(status)
  expect(body).toMatchObject({ type: 'error', error: { type } })
  expect(body.error.message).toContain(says)
  expect(answer.text).not.toContain('sk-wrong')
})

function withCall(json: string): object {
  const call = { id: 'a', type: 'function', function: { name: 'f', arguments: json } }
  const { choices, ...rest } = completion('')
  return { ...rest, choices: [{ ...choices[0], message: { role: 'assistant', content: null, tool_calls: [call] } }] }
}

const stream = (...chunks: readonly string[]): Reply => ({ headers: STREAM_HEADERS, chunks })

test.each<{ name: string; reply: Reply; status: number; ends: string }>([
  {
    name: 'reset before the first token',
    reply: { ...stream(frame({ role: 'assistant' })), breaks: true },
    status: 502,
    ends: 'api_error',
  },
  {
    name: 'reset after it',
    reply: { ...stream(frame({ content: 'a' })), breaks: true },
    status: 200,
    ends: 'event: error',
  },
  { name: 'ended too early', reply: stream(frame({ content: 'a' })), status: 200, ends: 'event: error' },
  {
    name: 'done without a reason', // as where it is passed through: nothing follows, so it is whole
    reply: stream(frame({ content: 'a' }), DONE),
    status: 200,
    ends: 'event: message_stop',
  },
  { name: 'an error first', reply: stream('data: {"error":{"message":"x"}}\n\n'), status: 502, ends: 'api_error' },
  {
    name: 'an error later',
    reply: stream(frame({ content: 'a' }), 'data: {"error":{"message":"x"}}\n\n'),
    status: 200,
    ends: 'event: error',
  },
  {
    name: 'ended without [DONE]',
    reply: stream(frame({ content: 'a' }), frame({}, 'stop')),
    status: 200,
    ends: 'event: message_stop',
  },
  { name: 'nothing but the end', reply: stream(DONE), status: 502, ends: 'api_error' },
])('a stream: $name', async ({ reply: next, status, ends }) => {
  reply = next
  const answer = await ask(true)
  expect(answer.status).toBe(status)
  const [last = ''] = answer.text.trim().split('\n\n').toReversed()
  expect(last).toContain(ends)
  expect(answer.text.split('event: message_start').length - 1).toBe(status === 200 ? 1 : 0)
  expect(answer.text.split(/event: (?:error|message_stop)/).length - 1).toBe(status === 200 ? 1 : 0)
})

test('a whole answer is translated however long it is, and when it comes compressed', async () => {
  const text = 'word '.repeat(500_000)
  reply = {
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    chunks: [gzipSync(JSON.stringify(completion(text)))],
  }
  const { status, text: body, headers } = await ask(false)
  expect(status).toBe(200)
  expect(JSON.parse(body).content).toEqual([{ type: 'text', text, citations: null }])
  expect(headers.get('content-encoding')).toBeNull()
})

test('nothing of what is private to the upstream is passed on', async () => {
  reply = {
    headers: { 'content-type': 'application/json', 'openai-organization': 'org-1', 'x-ratelimit-limit-requests': '9' },
    chunks: json(completion('Hi')),
  }
  const { headers } = await ask(false)
  expect(headers.get('openai-organization')).toBeNull()
  expect(headers.get('content-type')).toBe('application/json')
})
