import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import {
  completion,
  DONE,
  type FakeUpstream,
  frame,
  type Seen,
  STREAM_HEADERS,
  sendJson,
  startFakeUpstream,
  upstreamEnv,
} from '../support/fake-upstream.ts'

// Two upstreams behind one virtual model; each test says how they behave. Real HTTP, the real wire format.
let first: FakeUpstream
let second: FakeUpstream
let gate: Daemon
let behaveFirst: (request: Seen, response: ServerResponse) => void | Promise<void>
let behaveSecond: typeof behaveFirst

const answer = (text: string) => (_: Seen, response: ServerResponse) => sendJson(response, 200, completion(text))

beforeAll(async () => {
  first = await startFakeUpstream((request, response) => behaveFirst(request, response))
  second = await startFakeUpstream((request, response) => behaveSecond(request, response))
  gate = await startDaemon({
    ...upstreamEnv('first', first.url),
    ...upstreamEnv('second', second.url, ['mock', 'gpt-4']),
    GATE_UPSTREAMS__FIRST__TIMEOUT: '2s',
    GATE_UPSTREAMS__FIRST__IDLE_TIMEOUT: '2s',
    ...upstreamEnv('dead', 'http://127.0.0.1:9/v1', ['mock']),
    GATE_MODELS: JSON.stringify({
      both: {
        targets: [
          { upstream: 'first', model: 'mock' },
          { upstream: 'second', model: 'gpt-4' },
        ],
      },
      saved: {
        targets: [
          { upstream: 'dead', model: 'mock' },
          { upstream: 'second', model: 'mock' },
        ],
      },
    }),
  })
})
afterAll(async () => {
  await gate?.stop()
  gate?.remove()
  await first?.close()
  await second?.close()
})

function chat(model: string, extra: object = {}, init: RequestInit = {}): Promise<Response> {
  return fetch(`${gate.url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${gate.key}`,
      'content-type': 'application/json',
      'user-agent': 'test/1',
      cookie: 'a=b',
      'x-forwarded-for': '9.9.9.9',
      'openai-beta': 'x=1',
    },
    body: JSON.stringify({
      model,
      messages: [{ role: 'user', content: 'hi' }],
      unknown_field: { kept: 1e2 },
      ...extra,
    }),
    ...init,
  })
}

test('only the model and the credential change on the way', async () => {
  behaveFirst = answer('from first')
  const response = await chat('first/mock')
  expect(await response.json()).toMatchObject({ choices: [{ message: { content: 'from first' } }] })
  const seen = first.seen.at(-1)
  expect(JSON.parse(seen?.body ?? '')).toEqual({
    model: 'mock',
    messages: [{ role: 'user', content: 'hi' }],
    unknown_field: { kept: 100 },
  })
  expect(seen?.headers).toMatchObject({
    authorization: 'Bearer key-of-first',
    'openai-beta': 'x=1',
    'user-agent': 'test/1',
  })
  expect(Object.keys(seen?.headers ?? {})).not.toEqual(expect.arrayContaining(['cookie']))
  expect(seen?.headers['x-forwarded-for']).toBeUndefined()
  expect(JSON.stringify(seen?.headers)).not.toContain(gate.key)
})

test('answer and headers come back, without those of the connection', async () => {
  behaveFirst = (_, response) =>
    sendJson(response, 200, completion('x'), {
      'set-cookie': 'a=b',
      'x-ratelimit-remaining-requests': '5',
      server: 'uvicorn',
      'x-request-id': 'theirs',
      'access-control-allow-origin': '*',
      'clear-site-data': '"*"',
    })
  const response = await chat('first/mock')
  expect(response.headers.get('x-ratelimit-remaining-requests')).toBe('5')
  expect(response.headers.get('set-cookie')).toBeNull()
  expect(response.headers.get('server')).toBeNull()
  expect(response.headers.get('access-control-allow-origin')).toBeNull()
  expect(response.headers.get('clear-site-data')).toBeNull()
  expect(response.headers.get('x-request-id')).toMatch(/^req_/)
})

test.each([500, 502, 503, 429, 401, 404])('a %i of the first target is made good by the second', async (status) => {
  behaveFirst = (_, response) => sendJson(response, status, { error: { message: 'no' } })
  behaveSecond = answer('from second')
  const response = await chat('both')
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject({ choices: [{ message: { content: 'from second' } }] })
  expect(JSON.parse(second.seen.at(-1)?.body ?? '')).toMatchObject({ model: 'gpt-4' })
})

test('an upstream that is not there is made good too, for streams as well', async () => {
  behaveSecond = (_, response) => {
    response.writeHead(200, STREAM_HEADERS)
    response.end(frame({ content: 'saved' }) + frame({}, 'stop') + DONE)
  }
  const response = await chat('saved', { stream: true })
  expect(await response.text()).toContain('saved')
})

test('a mistake of the client is passed on as it is and tried nowhere else', async () => {
  behaveFirst = (_, response) =>
    sendJson(response, 400, {
      error: { message: 'temperature is too high', type: 'invalid_request_error', param: 'temperature', code: null },
    })
  const before = second.seen.length
  // the first target may be resting from the tests before, so it is asked directly
  const response = await chat('first/mock')
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ error: { param: 'temperature' } })
  expect(second.seen.length).toBe(before)
})

test("a refusal of Gate's own credentials is not told as one of the client's", async () => {
  behaveFirst = (_, response) => sendJson(response, 401, { error: { message: 'bad key key-of-first' } })
  const response = await chat('first/mock')
  expect(response.status).toBe(502)
  const text = await response.text()
  expect(text).toContain('upstreams.first.api_key')
  expect(text).not.toContain('key-of-first')
})

test.each([
  { name: 'that says when', headers: { 'retry-after': '7' }, type: 'application/json', retryAfter: '7' },
  { name: 'that does not', headers: {}, type: 'application/json', retryAfter: '1' },
  { name: 'in HTML that says when', headers: { 'retry-after': '7' }, type: 'text/html', retryAfter: '7' },
  { name: 'in HTML that does not', headers: {}, type: 'text/html', retryAfter: '1' },
])('a 429 $name always carries Retry-After', async ({ headers, type, retryAfter }) => {
  behaveFirst = (_, response) => {
    response.writeHead(429, { 'content-type': type, ...headers })
    response.end('{"error":{"message":"slow down"}}')
  }
  const response = await chat('first/mock')
  expect(response.status).toBe(429)
  expect(response.headers.get('retry-after')).toBe(retryAfter)
  expect(await response.json()).toMatchObject({ error: { message: expect.any(String) } })
})

test.each([
  { name: 'an error that never ends', status: 500, type: 'application/json', stream: false, answer: 502 },
  { name: 'a stream that goes on after its end', status: 200, type: 'text/event-stream', stream: true, answer: 200 },
])('$name is not listened to for ever', async ({ status, type, stream, answer }) => {
  behaveFirst = (_, response) => {
    response.writeHead(status, { 'content-type': type })
    if (stream) response.write(frame({ content: 'x' }) + frame({}, 'stop') + DONE)
    const timer = setInterval(() => response.write(`: ${'x'.repeat(10_000)}\n\n`), 5)
    response.on('close', () => clearInterval(timer))
  }
  const response = await chat('first/mock', { stream })
  expect(response.status).toBe(answer)
  await response.text()
  await until(() => first.seen.at(-1)?.aborted === true, 2_000)
})

test.each([
  { asked: 'as a stream', stream: true, status: 200 },
  { asked: 'as a whole answer', stream: false, status: 502 },
])('a stream without an end of line, asked for $asked, is not held for ever', async ({ stream, status }) => {
  behaveFirst = (_, response) => {
    response.writeHead(200, STREAM_HEADERS)
    const timer = setInterval(() => response.write('x'.repeat(100_000)), 1)
    response.on('close', () => clearInterval(timer))
  }
  const leaving = new AbortController()
  const response = await chat('first/mock', { stream }, { signal: leaving.signal })
  expect(response.status).toBe(status)
  leaving.abort()
  await until(() => first.seen.at(-1)?.aborted === true, 2_000)
})

test('an error as the first frame of a stream becomes a status', async () => {
  behaveFirst = (_, response) => {
    response.writeHead(200, STREAM_HEADERS)
    response.end('data: {"error":{"message":"overloaded"}}\n\n')
  }
  const response = await chat('first/mock', { stream: true })
  expect(response.status).toBe(502)
  expect(await response.text()).toContain('overloaded')
})

test('an error inside a stream reaches the client once', async () => {
  behaveFirst = (_, response) => {
    response.writeHead(200, STREAM_HEADERS)
    response.write(frame({ content: 'a' }))
    setTimeout(() => response.end('data: {"error":{"message":"overloaded"}}\n\n'), 50)
  }
  const text = await (await chat('first/mock', { stream: true })).text()
  expect(text.match(/"error"/g)).toHaveLength(1)
  expect(text).not.toContain('[DONE]')
})

test.each([
  { name: 'ends early', cut: (response: ServerResponse) => response.end() },
  { name: 'is reset', cut: (response: ServerResponse) => response.destroy() },
  { name: 'stalls', cut: () => {} },
])('a stream that $name is an error, never success', async ({ cut }) => {
  behaveFirst = (_, response) => {
    response.writeHead(200, STREAM_HEADERS)
    response.write(frame({ content: 'half' }))
    setTimeout(() => cut(response), 50)
  }
  const text = await (await chat('first/mock', { stream: true })).text()
  expect(text).toContain('half')
  expect(text).toMatch(/"code":"upstream_(truncated|timeout)"/)
  expect(text).not.toContain('[DONE]')
})

test.each([
  ['its line end', `${frame({ content: 'all' })}${frame({}, 'stop')}data: [DONE]`],
  ['its empty line', `${frame({ content: 'all' })}${frame({}, 'stop')}data: [DONE]\n`],
  ['all but itself', frame({ content: 'all' }, 'stop').trimEnd()],
])('a stream whose last event lacks %s is complete', async (_, stream) => {
  behaveFirst = (_request, response) => {
    response.writeHead(200, STREAM_HEADERS)
    response.end(stream)
  }
  const text = await (await chat('first/mock', { stream: true })).text()
  expect(text).toContain('all')
  expect(text).not.toContain('error')
  expect(text).toBe(`${stream.trimEnd()}\n\n${stream.includes(DONE.trimEnd()) ? '' : DONE}`)
})

test.each([
  { says: 'what is not valid HTTP', answer: 'SSH-2.0-OpenSSH_9\r\n' },
  { says: 'what is not valid HTTP', answer: 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}' },
  { says: 'headers that are too long', answer: `HTTP/1.1 200 OK\r\nx-a: ${'a'.repeat(200_000)}\r\n\r\n` },
])('an upstream that answers with $says is not called out of reach', async ({ says, answer: bytes }) => {
  behaveFirst = (_, response) => void response.socket?.end(bytes)
  const response = await chat('first/mock')
  expect(response.status).toBe(502)
  expect(await response.text()).toContain(`the upstream answered with ${says}`)
})

test('an answer that breaks off before its end is a 502', async () => {
  behaveFirst = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' })
    response.write('{"id":')
    setTimeout(() => response.destroy(), 20)
  }
  const response = await chat('first/mock')
  expect(response.status).toBe(502)
  expect(await response.json()).toMatchObject({ error: { code: 'upstream_truncated' } })
})

test('an upstream that says nothing is a 504', async () => {
  behaveFirst = () => {}
  const response = await chat('first/mock')
  expect(response.status).toBe(504)
  expect(await response.json()).toMatchObject({
    error: { code: 'upstream_timeout', message: expect.stringContaining('first') },
  })
})

test('a client that leaves aborts the upstream', async () => {
  behaveFirst = (_, response) => {
    response.writeHead(200, STREAM_HEADERS)
    const timer = setInterval(() => response.write(frame({ content: 'tick' })), 10)
    response.on('close', () => clearInterval(timer))
  }
  const leaving = new AbortController()
  const response = await chat('first/mock', { stream: true }, { signal: leaving.signal })
  await response.body?.getReader().read()
  leaving.abort()
  await until(() => first.seen.at(-1)?.aborted === true, 2_000)
})

test('a client that leaves before the upstream answered aborts it too', async () => {
  behaveFirst = () => {}
  const before = first.seen.length
  const leaving = new AbortController()
  const response = chat('first/mock', {}, { signal: leaving.signal }).catch(() => null)
  await until(() => first.seen.length > before)
  leaving.abort()
  await response
  await until(() => first.seen.at(-1)?.aborted === true, 1_500)
})

test('a slow reader slows the upstream down instead of filling memory', async () => {
  let sent = 0
  behaveFirst = (_, response) => {
    response.writeHead(200, STREAM_HEADERS)
    const block = frame({ content: 'x'.repeat(16_000) })
    const pump = () => {
      while (!response.destroyed && sent < 200_000_000) {
        sent += block.length
        if (!response.write(block)) {
          response.once('drain', pump)
          return
        }
      }
    }
    pump()
  }
  const leaving = new AbortController()
  const response = await chat('first/mock', { stream: true }, { signal: leaving.signal })
  await response.body?.getReader().read()
  let last = -1
  await until(() => {
    const still = sent === last
    last = sent
    return still
  }, 5_000)
  // what the sockets on the way hold, and no more: the kernel's buffers are a few MB each
  expect(sent).toBeLessThan(50_000_000)
  leaving.abort()
})

test.each([
  ['a header', {}, { 'x-portkey-custom-host': 'CANARY', 'x-base-url': 'CANARY' }],
  ['a body field', { base_url: 'CANARY' }, {}],
])('no client can choose where a request goes by %s', async (_name, extra, headers) => {
  let hits = 0
  const canary = await startFakeUpstream((_, response) => {
    hits += 1
    response.end()
  })
  const put = (value: object) =>
    JSON.parse(JSON.stringify(value).replaceAll('CANARY', canary.url)) as Record<string, string>
  behaveFirst = answer('x')
  const response = await chat('first/mock', put(extra), {
    headers: { authorization: `Bearer ${gate.key}`, 'content-type': 'application/json', ...put(headers) },
  })
  expect([200, 400]).toContain(response.status)
  expect(hits).toBe(0)
  await canary.close()
})

test('a redirect is an error, never followed with the key nor passed on', async () => {
  let hits = 0
  const other = await startFakeUpstream((_, response) => {
    hits += 1
    response.end()
  })
  behaveFirst = (_, response) => {
    response.writeHead(302, { location: `${other.url}/chat/completions` })
    response.end()
  }
  const response = await chat('first/mock', {}, { redirect: 'manual' })
  expect(response.status).toBe(502)
  expect(response.headers.get('location')).toBeNull()
  expect(hits).toBe(0)
  await other.close()
})

test('arguments of tools are repaired, and a schema that never ends holds nothing up', async () => {
  const call = (args: string) => (_: Seen, response: ServerResponse) => {
    const [choice] = completion('').choices
    const tool_calls = [{ id: 'c', type: 'function', function: { name: 'look', arguments: args } }]
    const message = { role: 'assistant', content: null, tool_calls }
    sendJson(response, 200, { ...completion(''), choices: [{ ...choice, message, finish_reason: 'tool_calls' }] })
  }
  const inputOf = async (property: object) => {
    const answered = await fetch(`${gate.url}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': gate.key, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'first/mock',
        max_tokens: 9,
        messages: [{ role: 'user', content: 'hi' }],
        tools: [{ name: 'look', input_schema: { type: 'object', properties: { a: property } } }],
      }),
    })
    const { content } = (await answered.json()) as { content: readonly { readonly input: unknown }[] }
    return content[0]?.input
  }
  const endless = `${'a'.repeat(100)}!`
  behaveFirst = call(JSON.stringify({ a: endless }))
  behaveSecond = answer('meanwhile')
  const bomb = inputOf({ type: 'string', pattern: '^(a+)+$' })
  expect(await (await chat('second/mock')).text()).toContain('meanwhile')
  expect(await bomb).toEqual({ a: endless }) // whether it fits is for the client to find out
  behaveFirst = call("{'a': '5',}")
  expect(await inputOf({ type: 'integer' })).toEqual({ a: 5 })
})
