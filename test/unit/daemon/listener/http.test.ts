import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { timesItself } from '../../../../daemon/listener/broken-request.ts'
import { PROBE, type Probed } from '../../../../daemon/listener/half-close.ts'
import { type Answering, createHttpListener, type HttpLimits } from '../../../../daemon/listener/http.ts'
import { upToConnections } from '../../../support/client-connections.ts'
import { sendRaw } from '../../../support/raw-http.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const LIMITS = { headersTimeoutMs: 5_000, bodyTimeoutMs: 5_000 }
/** What answers here gets what Node makes of HTTP/1.1. */
type Handle = (request: IncomingMessage, response: ServerResponse) => Promise<void>
const hello: Handle = async (_, response) => void response.end('hello')

/** A real listener; only what answers stands in. */
async function open(handle: Handle = hello, limits: Partial<HttpLimits> = {}) {
  const lines: string[] = []
  const errorBody: Answering['errorBody'] = ({ code, message }) => JSON.stringify({ code, message })
  const listener = createHttpListener(
    { handle, errorBody },
    { ...LIMITS, connections: upToConnections(10), ...limits },
    (_, message) => void lines.push(message),
  )
  const url = await listener.listen({ host: '127.0.0.1', port: 0 })
  closing.push(() => listener.drain(AbortSignal.abort()))
  return { listener, url, lines }
}

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

test('answers requests in turn over one connection', async () => {
  const { url } = await open()
  const said = await sendRaw(url, GET + GET.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
  expect(said.match(/hello/g)).toHaveLength(2)
})

test.each([
  { name: 'no HTTP', bytes: 'nonsense\r\n\r\n', status: 400, code: 'BAD_REQUEST' },
  { name: 'a header that is none', bytes: 'GET / HTTP/1.1\r\nHost x\r\n\r\n', status: 400, code: 'BAD_REQUEST' },
  {
    name: 'long headers',
    bytes: `GET / HTTP/1.1\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`,
    status: 431,
    code: 'HEADERS_TOO_LARGE',
  },
])('$name: $status, in words, and the connection is closed', async ({ bytes, status, code }) => {
  const { url } = await open()
  const said = await sendRaw(url, bytes)
  expect(said).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  expect(said).toContain('Connection: close')
  expect(said).toContain(`"code":"${code}"`)
})

/** Sends the bytes, and ends this side of the connection with them. @returns all that is said */
function sendAndEnd(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true }, () => socket.end(bytes))
  let said = ''
  socket.on('data', (chunk) => {
    said += chunk.toString()
  })
  socket.on('error', () => {})
  socket.on('close', () => resolve(said))
  return promise
}

const wholeAnswers = (said: string): number => said.match(/HTTP\/1\.1 200 OK[\s\S]*?\r\n\r\nhello/g)?.length ?? 0

test.each([
  { name: 'B12: empty lines before a request', bytes: `\r\n${GET}`, answers: 1 },
  { name: 'B12: empty lines between two', bytes: `${GET}\r\n\r\n${GET}`, answers: 2 },
  { name: 'B12: a side that is closed after a request', bytes: GET, answers: 1 },
  { name: 'B12: a side that is closed after three', bytes: GET + GET + GET, answers: 3 },
])('$name', async ({ bytes, answers }) => {
  const { url } = await open()
  expect(wholeAnswers(await sendAndEnd(url, bytes))).toBe(answers)
})

test.each([
  { name: 'B12: a broken second request', second: 'nonsense\r\n\r\n', status: 400 },
  {
    name: 'B12: a second one whose body is of no length',
    second: `${GET.slice(0, -2)}Content-Length: x\r\n\r\n`,
    status: 400,
  },
  {
    name: 'B12: a second one with headers without end',
    second: `${GET.slice(0, -2)}A: ${'x'.repeat(20_000)}`,
    status: 431,
  },
  { name: 'B12: a second one of another protocol', second: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', status: 400 },
])('$name is refused after the first is answered', async ({ second, status }) => {
  const { promise: may, resolve: go } = Promise.withResolvers<void>()
  const { url } = await open(async (_, response) => {
    await may
    response.end('hello')
  })
  const said = sendRaw(url, GET + second)
  setTimeout(go, 50) // both have arrived by then; a slower machine finds the same
  expect((await said).match(/HTTP\/1\.1 \d+|hello/g)).toEqual(['HTTP/1.1 200', 'hello', `HTTP/1.1 ${status}`])
})

test('a request whose body breaks off is refused, and after the answers of those before it', async () => {
  const { url } = await open(async (request, response) => {
    request.resume()
    request.on('end', () => response.end('hello'))
  })
  const chunked = 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n'
  const said = await sendRaw(url, GET + chunked)
  expect(said.match(/HTTP\/1\.1 (\d+)/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400'])
})

test.each([
  { name: 'garbage in the middle of an answer', bytes: `${GET}\u0001\u0002 nonsense\r\n\r\n` },
  {
    name: 'garbage in the body of a request that is being answered',
    bytes: 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n',
  },
])('$name cuts it and adds nothing to it', async ({ bytes }) => {
  const { url } = await open(async (_, response) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('begun')
  })
  const said = await sendRaw(url, bytes)
  expect(said.match(/HTTP\/1\.1/g) ?? []).toHaveLength(said === '' ? 0 : 1)
  expect(said).not.toContain('BAD_REQUEST')
})

test('CONNECT is refused in words, and names the methods', async () => {
  const { url } = await open()
  const said = await sendRaw(url, 'CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n')
  expect(said).toMatch(/^HTTP\/1\.1 405 /)
  expect(said).toContain('allow: GET, HEAD, POST')
})

test('B12: a client that waits after closing its side is asked whether it is there, until it is answered', async () => {
  const { promise: may, resolve: go } = Promise.withResolvers<void>()
  let probes = 0
  const { url } = await open(async (_, response: Probed) => {
    response[PROBE] = { probe: () => void (++probes === 2 && go()) }
    await may
    response.end(Buffer.from('hello'))
  })
  expect(wholeAnswers(await sendAndEnd(url, GET))).toBe(1)
  expect(probes).toBe(2)
})

test('headers that do not come are waited for as long as was said', async () => {
  const { url } = await open(hello, { headersTimeoutMs: 100, bodyTimeoutMs: 100 })
  expect(await sendRaw(url, 'GET / HTTP/1.1\r\nHost: x\r\n')).toContain('"code":"REQUEST_TIMEOUT"')
})

test('a connection over the limit of all listeners is closed', async () => {
  const lines: string[] = []
  const connections = upToConnections(1, (_, _message, { url: at = '', reason } = {}) => {
    lines.push(`${at}: ${reason}`)
  })
  const [{ url }, { url: other }] = [await open(hello, { connections }), await open(hello, { connections })]
  const { hostname, port } = new URL(other)
  const first = connect(Number(port), hostname)
  await new Promise((resolve) => first.once('connect', resolve))
  expect(await sendRaw(url, GET)).toBe('')
  expect(lines).toEqual([`${url}: server.max_connections is reached`])
  first.destroy()
})

test('an address that is taken is an error, not a crash', async () => {
  const { url } = await open()
  const other = createHttpListener(
    { handle: hello, errorBody: () => '' },
    { ...LIMITS, connections: upToConnections(1) },
    () => {},
  )
  await expect(other.listen({ host: '127.0.0.1', port: Number(new URL(url).port) })).rejects.toThrow('EADDRINUSE')
})

test('a drain waits for an answer in progress, which says that it is the last', async () => {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
  const { promise: may, resolve: go } = Promise.withResolvers<void>()
  const { listener, url } = await open(async (_, response) => {
    ask()
    await may
    response.end('late')
  })
  const said = sendRaw(url, GET.replace('Host: x', 'Host: x\r\nConnection: close'))
  await asked
  const drained = listener.drain(new AbortController().signal)
  go()
  expect(await said).toContain('late')
  await drained
  closing.length = 0
  await expect(sendRaw(url, GET)).rejects.toThrow('ECONNREFUSED')
})

test('a drain that is cut off ends answers that never would', async () => {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>()
  const { listener, url } = await open(async (_, response) => {
    response.write('begun')
    ask()
  })
  const said = sendRaw(url, GET)
  await asked
  await listener.drain(AbortSignal.abort())
  closing.length = 0
  expect(await said).not.toContain('0\r\n\r\n')
})

test.each([
  { name: 'no time of its own', isOwn: false, status: 408 },
  { name: 'a time of its own', isOwn: true, status: 200 },
])('a body that takes long, with $name: $status', async ({ isOwn, status }) => {
  const { url } = await open(async (request, response) => {
    if (isOwn) timesItself(request)
    const { socket } = request
    // as Node says when server.requestTimeout is over
    const late = Object.assign(new Error('late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })
    Reflect.get(socket, 'server').emit('clientError', late, socket)
    request.resume()
    request.on('end', () => response.end('hello'))
    client.write('c')
  })
  const { hostname, port } = new URL(url)
  const client = connect(Number(port), hostname)
  client.write('POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nab')
  let said = ''
  client.on('data', (chunk) => {
    said += String(chunk)
  })
  client.on('error', () => {})
  await once(client, 'close')
  expect(said).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
})
