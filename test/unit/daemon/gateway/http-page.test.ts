// docs/http.md, row by row: a row of the page that nobody tries fails, and so does one here that the page does not
// have.
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chatBody } from '../../../support/chat.ts'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import { completion } from '../../../support/fake-upstream.ts'
import { sendRaw } from '../../../support/raw-http.ts'

const MAX_BODY = 64 * 2 ** 10
const ORIGIN = 'https://app.example.org'
const PAGE = readFileSync(join(import.meta.dirname, '../../../../docs/http.md'), 'utf8')

/** What an upstream saw, and what it says. */
let seen: IncomingMessage['headers'] = {}
const upstream = createServer((request, response) => {
  seen = request.headers
  request.resume()
  response.writeHead(200, {
    'content-type': 'application/json',
    'set-cookie': 'a=b',
    server: 'secretive',
    'alt-svc': 'h3=":443"',
    'strict-transport-security': 'max-age=1',
    'access-control-allow-origin': '*',
    connection: 'keep-alive, x-own',
    'x-own': '1',
    'x-accel-redirect': '/private',
    'x-sendfile': '/etc/passwd',
    'x-ratelimit-remaining-requests': '7',
  })
  response.end(JSON.stringify(completion('hi')))
})
let plane: Awaited<ReturnType<typeof startDataPlane>>
beforeAll(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const base_url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`
  plane = await startDataPlane({
    server: { max_body: '64KiB', allowed_origins: [ORIGIN] },
    upstreams: {
      echo: { provider: 'echo' },
      mock: { provider: 'custom', base_url, api_key: 'the-key-of-the-upstream', models: ['mock'] },
    },
  })
})
afterAll(async () => {
  await plane.stop()
  upstream.closeAllConnections()
  upstream.close()
})

const AUTH = `Authorization: Bearer ${KEY}\r\n`
const CLOSE = 'Connection: close\r\n'
const get = (target: string, headers = '', method = 'GET') =>
  `${method} ${target} HTTP/1.1\r\nHost: x\r\n${AUTH}${CLOSE}${headers}\r\n`
const generate = (model: string, auth: string, method = ':generateContent') => {
  const body = JSON.stringify({ contents: [{ parts: [{ text: 'hi' }] }] })
  const head = `Host: x\r\n${auth}${CLOSE}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`
  return `POST /v1beta/models/${model}${method} HTTP/1.1\r\n${head}\r\n${body}`
}
const post = (body: string | Buffer, headers = 'Content-Type: application/json\r\n', auth = AUTH) =>
  `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n${auth}${CLOSE}${headers}` +
  `Content-Length: ${body.length}\r\n\r\n${body.toString('latin1')}`
const packed = (coding: string, body: Buffer) =>
  post(body, `Content-Type: application/json\r\nContent-Encoding: ${coding}\r\n`)

const GOOD = chatBody('hi')
const CHUNKED = `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n${AUTH}${CLOSE}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n`
const chunks = (head: string, end: string) =>
  `${CHUNKED}${head}\r\n${GOOD.length.toString(16)}\r\n${GOOD}\r\n0\r\n${end}\r\n`
const EXPECT = 'Content-Type: application/json\r\nExpect: 100-continue\r\n'
const DEEP = `{"model":"m","messages":${'['.repeat(200)}${']'.repeat(200)}}`
const MANY = `{"model":"m","messages":[]${Array.from({ length: 1_000 }, (_, i) => `,"k${i}":1`).join('')}}`
const FORM_TYPE = 'Content-Type: multipart/form-data; boundary=b\r\n'
const MODEL = '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nmock\r\n'
const FILE = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n\0\r\n--a\r\n'
const formOf = (fields: string) => `${FILE}${fields}--b--\r\n`
const FORM = formOf(MODEL)
const transcribe = (form: string, headers = FORM_TYPE) =>
  post(form, headers).replace('/v1/chat/completions', '/v1/audio/transcriptions')
const preflight = (origin: string) =>
  get('/v1/chat/completions', `Origin: ${origin}\r\nAccess-Control-Request-Method: POST\r\n`, 'OPTIONS')

type Row = {
  readonly says: string
  readonly status: number
  readonly sends: readonly string[]
  readonly has?: RegExp
  readonly lacks?: RegExp
}

const ROWS: readonly Row[] = [
  { says: '`HTTP/1.1` with a Host', status: 200, sends: [get('/health')] },
  { says: '`HTTP/1.0` without a Host', status: 200, sends: ['GET /health HTTP/1.0\r\n\r\n'] },
  { says: '`HTTP/1.1` without a Host', status: 400, sends: ['GET /health HTTP/1.1\r\n\r\n'] },
  { says: 'two Hosts', status: 400, sends: [get('/health', 'Host: x\r\n')] },
  { says: '`HTTP/2.0` in the request line', status: 400, sends: ['GET /health HTTP/2.0\r\nHost: x\r\n\r\n'] },
  {
    says: '`HTTP/0.9`, or a request line alone',
    status: 400,
    sends: ['GET /health HTTP/0.9\r\n\r\n', 'GET /health\r\n\r\n'],
  },
  { says: 'empty lines before the request line', status: 200, sends: [`\r\n\r\n${get('/health')}`] },
  { says: 'a target with scheme and host that is the Host', status: 200, sends: [get('http://x/health')] },
  { says: 'a target with another host', status: 400, sends: [get('http://y/health')] },
  {
    says: 'a Content-Length and a Transfer-Encoding',
    status: 400,
    sends: [post('{}', 'Transfer-Encoding: chunked\r\n')],
  },
  { says: 'a body in chunks', status: 200, sends: [chunks('', '')] },
  {
    says: 'a body in chunks with trailers, which are not read',
    status: 200,
    sends: [chunks('Trailer: x-a\r\n', 'x-a: 1\r\n'), chunks('', 'authorization: Bearer x\r\n')],
  },
  {
    says: 'a Transfer-Encoding other than `chunked`',
    status: 400,
    sends: [get('/health', 'Transfer-Encoding: gzip, chunked\r\n', 'POST')],
  },
  { says: 'two Authorizations', status: 400, sends: [get('/health', AUTH)] },
  { says: 'headers over 16 KiB', status: 431, sends: [get('/health', `A: ${'x'.repeat(17_000)}\r\n`)] },
  { says: '`Expect: 100-continue`, all else being good', status: 100, sends: [post(GOOD, EXPECT)] },
  { says: '`Expect: 100-continue`, all else not being good', status: 401, sends: [post(GOOD, EXPECT, '')] },
  { says: 'another `Expect`', status: 417, sends: [get('/health', 'Expect: x\r\n')] },

  { says: '`GET` where `GET` is taken', status: 200, sends: [get('/v1/models')] },
  { says: '`HEAD` where `GET` is taken', status: 200, sends: [get('/v1/models', '', 'HEAD'), get('/', '', 'HEAD')] },
  {
    says: 'another method, with `Allow` in the answer',
    status: 405,
    sends: [
      get('/v1/models', '', 'DELETE'),
      get('/v1/chat/completions'),
      get('/', '', 'PUT'),
      get('/health', '', 'TRACE'),
    ],
    has: /\r\nallow: /i,
  },
  {
    says: '`CONNECT`, with `Allow` in the answer',
    status: 405,
    sends: [get('x:1', '', 'CONNECT')],
    has: /\r\nallow: /i,
  },
  { says: 'a method that HTTP does not know', status: 400, sends: [get('/health', '', 'FROB')] },
  {
    says: '`OPTIONS` of a path, with `Allow` in the answer',
    status: 204,
    sends: [get('/v1/models', '', 'OPTIONS')],
    has: /\r\nallow: GET, HEAD, OPTIONS/i,
  },
  {
    says: '`OPTIONS *`, with `Allow` in the answer',
    status: 204,
    sends: [get('*', '', 'OPTIONS')],
    has: /\r\nallow: /i,
  },
  {
    says: 'a path with a slash at its end or doubled (`/v1//models/`)',
    status: 200,
    sends: [get('/v1//models/'), get('//v1/models/echo')],
  },
  { says: 'a path without its version (`/models`)', status: 200, sends: [get('/models')] },
  { says: 'a path with its version twice (`/v1/v1/models`)', status: 200, sends: [get('/v1/v1/models')] },
  {
    says: "a page of Gate's own written otherwise (`//metrics`)",
    status: 404,
    sends: [get('//metrics'), get('/health/')],
  },
  {
    says: 'an unknown path, with the near ones in the answer',
    status: 404,
    sends: [get('/v1/model'), get('/openai/v1/models')],
    has: /did you mean \/v1\/models/,
  },
  {
    says: 'a model in the path, with slashes or percent-encoded (`/v1beta/models/echo%2Fecho:generateContent`)',
    status: 200,
    sends: [
      generate('echo', `x-goog-api-key: ${KEY}\r\n`),
      generate('echo/echo', `x-goog-api-key: ${KEY}\r\n`),
      generate('echo%2Fecho', `x-goog-api-key: ${KEY}\r\n`),
      generate('models%2Fecho', `x-goog-api-key: ${KEY}\r\n`),
    ],
    has: /"candidates":/,
  },
  {
    says: 'a stream that is not a JSON list, only with `alt=sse` (`:streamGenerateContent`)',
    status: 200,
    sends: [generate('echo', AUTH, ':streamGenerateContent')],
    has: /content-type: application\/json[\s\S]*\[\{"candidates"/i,
  },
  {
    says: 'a WebSocket, which may come again as a POST',
    status: 426,
    sends: [get('/v1/responses', 'Upgrade: websocket\r\n')],
    has: /"upgrade_required"/,
  },
  { says: 'a path that is not valid percent-encoding', status: 400, sends: [get('/v1/models/%E0%A4%A')] },

  {
    says: '`application/json`, with any parameters',
    status: 200,
    sends: [post(GOOD), post(GOOD, 'Content-Type: Application/JSON; charset=utf-8\r\n')],
  },
  { says: 'JSON without a Content-Type', status: 200, sends: [post(GOOD, '')] },
  {
    says: 'JSON without a Content-Type from a web page (with an Origin)',
    status: 415,
    sends: [post(GOOD, 'Origin: http://evil.example\r\n')],
  },
  {
    says: 'another Content-Type',
    status: 415,
    sends: [post(GOOD, 'Content-Type: text/plain\r\n'), post(GOOD, 'Content-Type: application/jsonx\r\n')],
  },
  {
    says: 'a form (`multipart/form-data`) where one is taken, as for transcriptions',
    status: 200,
    sends: [transcribe(FORM), transcribe(FORM, `${FORM_TYPE}Origin: ${ORIGIN}\r\n`)],
  },
  {
    says: 'a form from a web page that may not send requests',
    status: 415,
    sends: [transcribe(FORM, `${FORM_TYPE}Origin: http://evil.example\r\n`)],
  },
  {
    says: 'JSON where a form is taken, or a form where JSON is',
    status: 415,
    sends: [transcribe('{"model":"mock"}', 'Content-Type: application/json\r\n'), post(FORM, FORM_TYPE)],
  },
  {
    says: 'a form without a model, with two of them, or cut off',
    status: 400,
    sends: [formOf(''), formOf(MODEL + MODEL), FORM.slice(0, -8), '', '--b--'].map((form) => transcribe(form)),
  },
  {
    says: '`gzip`, `deflate`, `br`, `zstd`',
    status: 200,
    sends: [packed('gzip', gzipSync(GOOD)), packed('zstd', zstdCompressSync(GOOD))],
  },
  {
    says: 'another Content-Encoding, or several',
    status: 415,
    sends: [packed('compress', Buffer.from(GOOD)), packed('gzip, zstd', Buffer.from(GOOD))],
  },
  { says: 'a body that cannot be unpacked', status: 400, sends: [packed('gzip', Buffer.from(GOOD))] },
  {
    says: 'more than `server.max_body`, packed or unpacked',
    status: 413,
    sends: [post('x'.repeat(MAX_BODY + 1)), packed('gzip', gzipSync(Buffer.alloc(MAX_BODY + 1)))],
  },
  {
    says: 'what is not JSON in UTF-8, or begins with a byte order mark',
    status: 400,
    sends: [post('{'), post(GOOD.replace('hi', '\xff')), post(Buffer.from(`\ufeff${GOOD}`))],
  },
  {
    says: 'a key of the outermost object twice, in any case',
    status: 400,
    sends: [post('{"model":"echo","Model":"m","messages":[]}'), post('{"model":"echo","messages":[],"x":1,"X":2}')],
  },
  { says: 'more than 128 levels, or 1,000 keys of the outermost object', status: 400, sends: [post(DEEP), post(MANY)] },
  {
    says: 'a key that chooses where the request goes (`base_url`)',
    status: 400,
    sends: [post('{"model":"echo","messages":[],"base_url":"http://y"}')],
  },

  {
    says: 'a preflight from an allowed origin, with `Access-Control-Allow-Origin` in the answer',
    status: 204,
    sends: [preflight(ORIGIN)],
    has: /access-control-allow-origin: https:\/\/app/i,
  },
  {
    says: 'a preflight from any other origin, without it',
    status: 204,
    sends: [preflight('https://other.example')],
    lacks: /access-control/i,
  },
  {
    says: 'a request from an allowed origin, with `Access-Control-Allow-Origin` in the answer',
    status: 200,
    sends: [get('/v1/models', `Origin: ${ORIGIN}\r\n`)],
    has: /access-control-allow-origin: https:\/\/app/i,
  },
  {
    says: 'a request from any other origin, without it',
    status: 200,
    sends: [get('/v1/models', 'Origin: https://other.example\r\n')],
    lacks: /access-control/i,
  },
]

test.each(ROWS)('$says: $status', async ({ says, status, sends, has = /./, lacks = /^$/ }) => {
  expect(PAGE).toContain(`\n| ${says} | ${status} |\n`)
  for (const bytes of sends) {
    const said = await sendRaw(plane.url, bytes)
    expect(said).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(said).toMatch(has)
    expect(said).not.toMatch(lacks)
  }
})

test('a client that closes its side and waits: 200', async () => {
  const { hostname, port } = new URL(plane.url)
  const said = await new Promise<string>((resolve, reject) => {
    let all = ''
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true }, () => socket.end(post(GOOD)))
    socket.on('data', (chunk) => {
      all += chunk.toString()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(all))
  })
  expect(said).toContain('HTTP/1.1 200 OK')
})

test('headers: what is sent on, and what is passed back', async () => {
  const own = [
    'accept',
    'idempotency-key',
    'traceparent',
    'tracestate',
    'user-agent',
    'x-client-request-id',
    'x-session-affinity',
  ]
  const vendors = ['anthropic-beta', 'anthropic-version', 'openai-beta']
  const kept = ['cookie', 'x-forwarded-for', 'x-anything', 'origin', 'referer']
  const headers = [...own, ...vendors, ...kept].map((name) => `${name}: of-the-client\r\n`).join('')
  const said = await sendRaw(
    plane.url,
    post(chatBody('hi', { model: 'mock' }), `Content-Type: application/json\r\n${headers}`),
  )
  expect(said).toContain('HTTP/1.1 200 OK')
  for (const name of [...own, ...vendors]) expect([name, seen[name]]).toEqual([name, 'of-the-client'])
  for (const name of kept) expect([name, seen[name]]).toEqual([name, undefined])
  expect(seen.authorization).toBe('Bearer the-key-of-the-upstream')
  expect(said).toContain('x-ratelimit-remaining-requests: 7')
  for (const name of [
    'set-cookie',
    'server',
    'alt-svc',
    'strict-transport-security',
    'access-control-allow-origin',
    'x-accel-redirect',
    'x-sendfile',
    'x-own',
  ])
    expect(said.toLowerCase()).not.toContain(`\r\n${name}:`)
  for (const name of [...own, ...vendors]) expect(PAGE).toContain(`\`${name}\``)
})

test('every row of the page is tried here', () => {
  const rows = PAGE.split('\n').filter((line) => /^\| .* \| \d{3} \|$/.test(line))
  const tried = [
    ...ROWS.map(({ says, status }) => `| ${says} | ${status} |`),
    '| a client that closes its side and waits | 200 |',
  ]
  expect(rows.filter((row) => !tried.includes(row))).toEqual([])
  expect(rows).toHaveLength(tried.length)
})
