import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { type Answering, createHttpListener, type HttpLimits } from '../../../../daemon/listener/http.ts'
import { sendRaw } from '../../../support/raw-http.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const LIMITS: HttpLimits = { headersTimeoutMs: 5_000, bodyTimeoutMs: 5_000, maxConnections: 10 }
const hello: Answering['handle'] = async (_, response) => void response.end('hello')

/** A real listener; only what answers stands in. */
async function open(handle = hello, limits: Partial<HttpLimits> = {}) {
  const lines: string[] = []
  const errorBody: Answering['errorBody'] = ({ code, message }) => JSON.stringify({ code, message })
  const listener = createHttpListener(
    { handle, errorBody },
    { ...LIMITS, ...limits },
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

test('garbage in the middle of an answer cuts it and adds nothing to it', async () => {
  const { url } = await open(async (_, response) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('begun')
  })
  const said = await sendRaw(url, `${GET}\u0001\u0002 nonsense\r\n\r\n`)
  expect(said.match(/HTTP\/1\.1/g) ?? []).toHaveLength(said === '' ? 0 : 1)
  expect(said).not.toContain('BAD_REQUEST')
})

test('headers that do not come are waited for as long as was said', async () => {
  const { url } = await open(hello, { headersTimeoutMs: 100, bodyTimeoutMs: 100 })
  expect(await sendRaw(url, 'GET / HTTP/1.1\r\nHost: x\r\n')).toContain('"code":"REQUEST_TIMEOUT"')
})

test('a connection over the limit is closed, and the log says so', async () => {
  const { url, lines } = await open(hello, { maxConnections: 1 })
  const { hostname, port } = new URL(url)
  const first = connect(Number(port), hostname)
  await new Promise((resolve) => first.once('connect', resolve))
  expect(await sendRaw(url, GET)).toBe('')
  expect(lines).toEqual([expect.stringContaining('server.max_connections')])
  first.destroy()
})

test('an address that is taken is an error, not a crash', async () => {
  const { url } = await open()
  const other = createHttpListener({ handle: hello, errorBody: () => '' }, LIMITS, () => {})
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
