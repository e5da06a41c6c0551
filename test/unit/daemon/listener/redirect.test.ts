import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHttpListener } from '../../../../daemon/listener/http.ts'
import { redirecting } from '../../../../daemon/listener/redirect.ts'
import { upToConnections } from '../../../support/client-connections.ts'
import { sendRaw } from '../../../support/raw-http.ts'

const current = () => [{ names: ['ai.example.org', '*.example.net', '192.0.2.7'], cert: '', key: '' }]
const httpChallenge = (host: string, token: string) =>
  host === 'ai.example.org' && token === 'the-token' ? 'the-token.thumbprint' : undefined
let external: string | undefined
let served: readonly string[] | undefined
let httpsPort = 443
const answering = redirecting({
  identities: { current, httpChallenge },
  externalUrl: () => external,
  isServed: () => (served === undefined ? null : (host) => served?.includes(host) === true),
  httpsPort: () => httpsPort,
  errorBody: ({ code }) => JSON.stringify({ code }),
})
const limits = { headersTimeoutMs: 5_000, bodyTimeoutMs: 5_000, connections: upToConnections(10) }
const listener = createHttpListener(answering, limits, () => {})
let url = ''
beforeAll(async () => {
  url = await listener.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(() => listener.drain(AbortSignal.abort()))

const ask = (target: string, host: string, method = 'GET') =>
  sendRaw(url, `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
const locationOf = (said: string) => /^location: (.*)\r$/m.exec(said)?.[1]

test.each([
  { host: 'ai.example.org', expected: 'https://ai.example.org/v1/models?a=b' },
  { host: 'AI.example.ORG.:8080', expected: 'https://ai.example.org/v1/models?a=b' },
  { host: 'b.example.net', expected: 'https://b.example.net/v1/models?a=b' },
  { host: '192.0.2.7', expected: 'https://192.0.2.7/v1/models?a=b' },
  { host: 'ai.example.org', port: 8443, expected: 'https://ai.example.org:8443/v1/models?a=b' },
  {
    host: 'gate.example.com',
    origin: 'https://gate.example.com:444',
    expected: 'https://gate.example.com:444/v1/models?a=b',
  },
  { host: 'ai.example.org', origin: 'https://gate.example.com', expected: 'https://ai.example.org/v1/models?a=b' },
])('$host is sent to $expected', async ({ host, port = 443, origin, expected }) => {
  external = origin
  httpsPort = port
  const said = await ask('/v1/models?a=b', host)
  expect(said).toMatch(/^HTTP\/1\.1 308 /)
  expect(locationOf(said)).toBe(expected)
})

test.each(['other.example.com', 'example.net', 'a.b.example.net', 'ai.example.org.evil.com', '[::1]'])(
  'nobody is sent to %s',
  async (host) => {
    external = undefined
    const said = await ask('/', host)
    expect(said).toMatch(/^HTTP\/1\.1 421 /)
    expect(locationOf(said)).toBeUndefined()
  },
)

test.each([
  { host: 'ai.example.org', allowed: ['ai.example.org'], status: 308 },
  { host: 'ai.example.org', allowed: ['api.test'], status: 421 },
  { host: '192.0.2.7', allowed: ['api.test'], status: 421 },
  { host: 'gate.example.com', allowed: ['api.test'], status: 421 },
])('where $allowed are served, $host is answered $status, as the gateway would', async ({ host, allowed, status }) => {
  external = 'https://gate.example.com'
  served = allowed
  const said = await ask('/', host)
  served = undefined
  expect(said).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
})

test.each([
  { target: '//evil.com/x', expected: 'https://ai.example.org//evil.com/x' },
  { target: 'http://ai.example.org/x', expected: 'https://ai.example.org/x' },
])('the target $target stays on the host', async ({ target, expected }) => {
  httpsPort = 443
  expect(locationOf(await ask(target, 'ai.example.org'))).toBe(expected)
})

const PLACE = '/.well-known/acme-challenge/'
test.each([
  { name: 'a pending challenge', target: `${PLACE}the-token`, host: 'ai.example.org', status: 200 },
  { name: 'a token that is not pending', target: `${PLACE}another`, host: 'ai.example.org', status: 404 },
  { name: 'the token at another host', target: `${PLACE}the-token`, host: 'b.example.net', status: 404 },
  { name: 'a token that is none', target: `${PLACE}../x`, host: 'ai.example.org', status: 404 },
  { name: 'a challenge by POST', target: `${PLACE}the-token`, host: 'ai.example.org', method: 'POST', status: 405 },
  { name: 'two hosts', target: '/', host: 'ai.example.org\r\nHost: b.example.net', status: 400 },
])('$name: $status', async ({ target, host, method, status }) => {
  const said = await ask(target, host, method)
  expect(said).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  expect(said.includes('the-token.thumbprint')).toBe(status === 200)
})
