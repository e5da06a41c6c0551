import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AMBIGUOUS_REQUESTS } from '../support/ambiguous-requests.ts'
import { chatBody } from '../support/chat.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { sendRaw } from '../support/raw-http.ts'

let gate: Daemon
beforeAll(async () => {
  gate = await startDaemon()
})
afterAll(async () => {
  await gate?.stop()
  gate?.remove()
})

const body = chatBody('hi')
const auth = () => `Authorization: Bearer ${gate.key}\r\n`
const post = (headers: string, text = body) =>
  `POST /v1/chat/completions HTTP/1.1\r\n${headers}Content-Type: application/json\r\n\r\n${text}`
const length = `Content-Length: ${body.length}\r\n`

test('the request that all others here vary is answered', async () => {
  const answer = await sendRaw(gate.url, post(`Host: x\r\n${auth()}${length}Connection: close\r\n`))
  expect(answer).toContain('HTTP/1.1 200')
  expect(answer).toContain('"content":"hi"')
})

test.each(AMBIGUOUS_REQUESTS)('refuses $name with 400 and closes the connection', async ({ bytes }) => {
  // what follows on the connection must never be taken for a request
  const answer = await sendRaw(gate.url, `${bytes(gate.key)}GET /health HTTP/1.1\r\nHost: x\r\n\r\n`)
  expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1)
  expect(answer).toMatch(/connection: close/i)
  expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))).toMatchObject({
    error: { type: 'invalid_request_error' },
  })
})

test('takes an absolute target that agrees with Host, and a chunked body', async () => {
  const absolute = await sendRaw(gate.url, 'GET http://X:80/health HTTP/1.1\r\nHost: x:80\r\nConnection: close\r\n\r\n')
  expect(absolute).toContain('200 OK')
  const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  const answer = await sendRaw(
    gate.url,
    post(`Host: x\r\n${auth()}Transfer-Encoding: chunked\r\nConnection: close\r\n`, chunked),
  )
  expect(answer).toContain('"content":"hi"')
})

test('headers that come too slowly are answered 408 and the connection is closed', async () => {
  const answer = await sendRaw(gate.url, 'GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ', { deadlineMs: 15_000 })
  expect(answer).toMatch(/^HTTP\/1\.1 408 /)
})

test('a thousand slow connections do not keep others from being served, and all are closed', async () => {
  const { hostname, port } = new URL(gate.url)
  let closed = 0
  const sockets = Array.from({ length: 1_000 }, () => {
    const socket = connect(Number(port), hostname, () => socket.write('POST /v1/chat/completions HTTP/1.1\r\n'))
    socket.on('close', () => {
      closed += 1
    })
    socket.on('error', () => {})
    socket.resume()
    return socket
  })
  while (closed < sockets.length) {
    const response = await fetch(`${gate.url}/health`)
    expect(response.status).toBe(200)
    await response.text()
  }
  expect(closed).toBe(1_000)
})

test.each([
  { method: 'GET', path: '/v1/chat/completions', status: 405 },
  { method: 'POST', path: '/v1/models', status: 405 },
  { method: 'GET', path: '/v1/nothing', status: 404 },
  { method: 'GET', path: '/v1/models/%E0%A4%A', status: 400 },
])('$method $path is $status in OpenAI shape', async ({ method, path, status }) => {
  const response = await fetch(`${gate.url}${path}`, { method, headers: { authorization: `Bearer ${gate.key}` } })
  expect(response.status).toBe(status)
  expect(await response.json()).toMatchObject({ error: { message: expect.any(String), type: 'invalid_request_error' } })
})

test.each(['GET /v1/models', 'GET /v1/models/echo', 'GET /metrics', 'POST /v1/chat/completions'])(
  '%s needs a key',
  async (route) => {
    const [method = '', path = ''] = route.split(' ')
    const init = { method, ...(method === 'POST' && { body, headers: { 'content-type': 'application/json' } }) }
    expect((await fetch(`${gate.url}${path}`, init)).status).toBe(401)
  },
)

test('a body of another type is refused, so that no web page can send one unasked', async () => {
  const init = { method: 'POST', body, headers: { authorization: `Bearer ${gate.key}`, 'content-type': 'text/plain' } }
  expect((await fetch(`${gate.url}/v1/chat/completions`, init)).status).toBe(415)
})

test.each([
  { messages: [null] },
  { messages: ['hi'] },
  { tools: 'x' },
  { tools: [null] },
  { stop: 5 },
  { max_tokens: 'many' },
  { stream_options: 1, stream: true },
  { tool_choice: { function: null } },
])('the echo refuses %o and lives on', async (wrong) => {
  const answer = await fetch(`${gate.url}/v1/chat/completions`, {
    method: 'POST',
    body: chatBody('hi', wrong),
    headers: { authorization: `Bearer ${gate.key}`, 'content-type': 'application/json' },
  })
  expect(answer.status).toBe(400)
  expect(await answer.json()).toMatchObject({ error: { type: 'invalid_request_error' } })
})

test('a tool whose schema asks for the whole message many times is answered all the same', async () => {
  const properties = Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`p${i}`, { type: 'string' }]))
  const answer = await fetch(`${gate.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({
      model: 'echo',
      messages: [{ role: 'user', content: 'x'.repeat(500_000) }],
      tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties } } }],
      tool_choice: 'required',
    }),
    headers: { authorization: `Bearer ${gate.key}`, 'content-type': 'application/json' },
  })
  expect(answer.status).toBe(200)
  expect((await answer.text()).length).toBeLessThan(5_000_000)
})
