import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chatBody } from '../../../support/chat.ts'
import { until } from '../../../support/daemon.ts'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import { DONE, frame, STREAM_HEADERS, startFakeUpstream } from '../../../support/fake-upstream.ts'
import { sendRaw } from '../../../support/raw-http.ts'

let plane: Awaited<ReturnType<typeof startDataPlane>>
beforeAll(async () => {
  plane = await startDataPlane({})
})
afterAll(() => plane.stop())

test('B13: a browser gets a page without script, and HEAD none of it', async () => {
  const response = await fetch(plane.url)
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
  const text = await response.text()
  expect(text).toContain('It is ready')
  expect(text).not.toMatch(/<script|https?:/i)
  const head = await fetch(plane.url, { method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
})

test('/ready, the page of browsers and what refuses a request give one reason', async () => {
  const reason = 'usage cannot be recorded (disk full?)'
  const ledger = { settle: async () => {}, refusal: () => reason }
  const full = await startDataPlane({}, { parts: { notReady: () => reason, ledger } })
  const ready = await fetch(`${full.url}/ready`)
  expect([ready.status, await ready.json()]).toEqual([503, { status: 'not ready', reason }])
  expect(await (await fetch(full.url)).text()).toContain(`It is not ready: ${reason}`)
  const refused = await fetch(`${full.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: chatBody('hi'),
  })
  expect([refused.status, await refused.text()]).toEqual([507, expect.stringContaining(reason)])
  await full.stop()
})

const post = (headers: string, body: string) =>
  sendRaw(
    plane.url,
    `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${KEY}\r\n${headers}` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  )

test.each([
  { name: 'B13: JSON without a type', headers: '', body: chatBody('hi'), status: 200 },
  { name: 'B13: no JSON without a type', headers: '', body: 'model=echo', status: 400 },
  {
    name: 'B13: JSON without a type from a page',
    headers: 'Origin: http://evil.example\r\n',
    body: chatBody('hi'),
    status: 415,
  },
  {
    name: 'A6: a type that only begins right',
    headers: 'Content-Type: application/jsonx\r\n',
    body: chatBody('hi'),
    status: 415,
  },
  { name: 'text', headers: 'Content-Type: text/plain\r\n', body: chatBody('hi'), status: 415 },
])('$name: $status', async ({ headers, body, status }) => {
  expect(await post(headers, body)).toContain(`HTTP/1.1 ${status} `)
})

test.each([
  { path: '/api/chat', headers: '', status: 200 },
  { path: '/api/chat', headers: 'Origin: http://evil.example\r\n', status: 415 },
  { path: '/v1/chat/completions', headers: '', status: 415 },
])("as curl calls JSON in Ollama's examples: $path $headers$status", async ({ path, headers, status }) => {
  const body = '{"model":"echo","messages":[{"role":"user","content":"hi"}],"stream":false}'
  const answer = await sendRaw(
    plane.url,
    `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${KEY}\r\n${headers}` +
      `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  expect(answer).toContain(`HTTP/1.1 ${status} `)
  if (status === 200) expect(answer).toMatch(/"eval_duration":[1-9]/)
})

test('C8: the log line of a request says whose it was, what was asked, who answered, and how much', async () => {
  plane.lines.length = 0
  await post('', chatBody('one two three'))
  const line = plane.lines.find(({ message }) => message === 'request')
  expect(line?.fields).toMatchObject({ key: 'auth.token', model: 'echo', upstream: 'echo', status: 200 })
  expect(line?.fields.input_tokens).toBeGreaterThan(0)
  expect(line?.fields.output_tokens).toBeGreaterThan(0)
})

test('C8: one that no upstream saw names none', async () => {
  plane.lines.length = 0
  await post('', '{}')
  const line = plane.lines.find(({ message }) => message === 'request')
  expect(line?.fields).toMatchObject({ key: 'auth.token', status: 400 })
  expect(line?.fields).not.toHaveProperty('upstream')
})

const ORIGIN = 'https://app.example.org'

describe('pages of other origins', () => {
  let open: Awaited<ReturnType<typeof startDataPlane>>
  beforeAll(async () => {
    open = await startDataPlane({ server: { allowed_origins: [ORIGIN] } })
  })
  afterAll(() => open.stop())

  const corsOf = ({ headers }: Response) => [...headers.keys()].filter((name) => name.startsWith('access-control-'))
  const preflight = (url: string, origin: string) => {
    const headers = {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,x-a, b c',
    }
    return fetch(`${url}/v1/chat/completions`, { method: 'OPTIONS', headers })
  }

  test('B13: an allowed one may ask, and is told so before it asks', async () => {
    const answer = await preflight(open.url, ORIGIN)
    expect(answer.status).toBe(204)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      allow: 'POST, OPTIONS',
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-methods': 'POST, OPTIONS',
      'access-control-allow-headers': 'authorization, x-a',
      vary: 'Origin',
    })
    expect(answer.headers.has('access-control-allow-credentials')).toBe(false)
  })

  test.each([
    { name: 'an answer', key: KEY, status: 200 },
    { name: 'a refusal', key: 'nonsense', status: 401 },
  ])('B13: it may read $name', async ({ key, status }) => {
    const headers = { origin: ORIGIN, authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const answer = await fetch(`${open.url}/v1/chat/completions`, { method: 'POST', headers, body: chatBody('hi') })
    expect(answer.status).toBe(status)
    expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN)
  })

  test.each([`${ORIGIN}.evil.org`, 'http://app.example.org', 'https://APP.example.org', 'null', '*'])(
    'B13: %s may not, and nothing names who may',
    async (origin) => {
      for (const answer of [await preflight(open.url, origin), await fetch(open.url, { headers: { origin } })])
        expect(corsOf(answer)).toEqual([])
    },
  )

  test('B13: without the setting none may', async () => {
    const answer = await preflight(plane.url, ORIGIN)
    expect([answer.status, corsOf(answer)]).toEqual([204, []])
  })
})

test.each([
  { target: '*', status: 204, allow: 'POST, GET, HEAD, DELETE, PATCH, OPTIONS' },
  { target: '/v1/models', status: 204, allow: 'GET, HEAD, OPTIONS' },
  { target: '/health', status: 204, allow: 'GET, HEAD, OPTIONS' },
  { target: '/nothing', status: 404, allow: null },
])('B12: OPTIONS $target', async ({ target, status, allow }) => {
  const said = await sendRaw(plane.url, `OPTIONS ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  expect(said).toContain(`HTTP/1.1 ${status} `)
  expect(/\r\nallow: (.*)\r\n/i.exec(said)?.[1] ?? null).toBe(allow)
  if (status === 204) expect(said).not.toMatch(/content-length/i) // RFC 9110 section 8.6
})

test.each([
  { name: 'B12: a bare request line', bytes: 'GET /health\r\n\r\n', status: 400 },
  { name: 'B12: HTTP/0.9', bytes: 'GET /health HTTP/0.9\r\n\r\n', status: 400 },
  { name: 'B12: HTTP/2.0', bytes: 'GET /health HTTP/2.0\r\nHost: x\r\n\r\n', status: 400 },
  { name: 'B12: HTTP/1.0', bytes: 'GET /health HTTP/1.0\r\n\r\n', status: 200 },
  { name: 'B12: a broken version', bytes: 'GET /health HTTP/1\r\nHost: x\r\n\r\n', status: 400 },
  { name: 'B12: TRACE', bytes: 'TRACE /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', status: 405 },
])('$name: $status', async ({ bytes, status }) => {
  expect(await sendRaw(plane.url, bytes)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
})

describe('a body that waits to be asked for', () => {
  const body = chatBody('hi')
  const head = (headers: string) =>
    `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: application/json\r\n${headers}\r\n`
  const auth = `Authorization: Bearer ${KEY}\r\n`

  test('is asked for', async () => {
    const length = `Content-Length: ${body.length}\r\n`
    const said = await sendRaw(plane.url, head(`${auth}${length}Connection: close\r\n`) + body)
    expect(said).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/)
  })

  test.each([
    { name: 'B12: too long', headers: `${auth}Content-Length: 99999999999\r\n`, status: 413 },
    { name: 'B12: of no length', headers: `${auth}Content-Length: -1\r\n`, status: 400 },
    { name: 'B12: of two lengths', headers: `${auth}Content-Length: 3\r\nContent-Length: 3\r\n`, status: 400 },
    {
      name: 'B12: in an encoding that is not taken',
      headers: `${auth}Transfer-Encoding: gzip, chunked\r\n`,
      status: 400,
    },
    { name: 'B12: without a key', headers: 'Content-Length: 3\r\n', status: 401 },
  ])('$name is refused unasked, and the connection is closed', async ({ headers, status }) => {
    const said = await sendRaw(plane.url, head(headers))
    expect(said.match(/HTTP\/1\.1 (\d+)/g)).toEqual([`HTTP/1.1 ${status}`])
  })

  test('B12: another expectation is refused', async () => {
    const said = await sendRaw(plane.url, 'GET /health HTTP/1.1\r\nHost: x\r\nExpect: payment\r\n\r\n')
    expect(said).toMatch(/^HTTP\/1\.1 417 /)
  })
})

describe('a client that closes its side', () => {
  const slow = (answer: (response: ServerResponse) => void) =>
    startFakeUpstream((_, response) => {
      response.writeHead(200, STREAM_HEADERS)
      answer(response)
    })
  const ask = (stream: boolean, version: string) => {
    const body = chatBody('hi', { model: 'mock', stream })
    return (
      `POST /v1/chat/completions HTTP/${version}\r\nHost: x\r\nAuthorization: Bearer ${KEY}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    )
  }
  const planeBefore = (url: string) =>
    startDataPlane({ upstreams: { mock: { provider: 'custom', base_url: url, models: ['mock'] } } })

  test('B12: and waits gets its answer, however long it takes', async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<ServerResponse>()
    const upstream = await slow(begin)
    const behind = await planeBefore(upstream.url)
    const { port, hostname } = new URL(behind.url)
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true }, () =>
      socket.end(ask(true, '1.1')),
    )
    let said = ''
    socket.on('data', (chunk) => {
      said += chunk.toString()
    })
    const response = await begun
    await until(() => said.includes('102 Processing')) // it was asked whether it is there
    response.write(frame({ content: 'first' }))
    await until(() => said.includes('first') && said.includes(': ping'))
    response.end(frame({}, 'stop') + DONE)
    await once(socket, 'close')
    expect(said).toMatch(/^(?:HTTP\/1\.1 102 Processing\r\n\r\n)+HTTP\/1\.1 200 OK/)
    expect(said).toContain('[DONE]')
    await behind.stop()
    await upstream.close()
  })

  test.each([
    { name: 'before the answer', first: '', version: '1.1' },
    { name: 'in mid-stream', first: frame({ content: 'first' }), version: '1.1' },
    { name: 'before an answer in HTTP/1.0', first: '', version: '1.0' },
  ])('B12: and is gone $name is noticed, although nothing more is sent to it', async ({ first, version }) => {
    const upstream = await slow((response) => void (first === '' ? response.flushHeaders() : response.write(first)))
    const behind = await planeBefore(upstream.url)
    const { port, hostname } = new URL(behind.url)
    const socket = connect(Number(port), hostname)
    socket.write(ask(true, version))
    await until(() => upstream.seen.length === 1)
    if (first !== '') await once(socket, 'data')
    socket.destroy()
    await until(() => upstream.seen[0]?.aborted === true)
    expect(behind.rows.map(({ outcome }) => outcome)).toEqual(['cancelled'])
    await behind.stop()
    await upstream.close()
  })
})
