import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answering, createHttpListener } from '../../../../daemon/listener/http.ts'
import { afterProxyHeader, PLAIN } from '../../../../daemon/listener/proxied.ts'
import { upToConnections } from '../../../support/client-connections.ts'
import { sendRaw } from '../../../support/raw-http.ts'

let isTrusted = true
const layer = { ...PLAIN, accept: afterProxyHeader(() => isTrusted, PLAIN.accept) }
const answering: Answering = {
  errorBody: ({ code }) => code,
  async handle(_, response, { peer }) {
    response.writeHead(200, ['content-type', 'text/plain', 'connection', 'close'])
    response.end(Buffer.from(`from ${peer}`))
  },
}
const limits = { headersTimeoutMs: 5_000, bodyTimeoutMs: 5_000, connections: upToConnections(10) }
const listener = createHttpListener(answering, limits, () => {}, layer)
let url = ''
beforeAll(async () => {
  url = await listener.listen({ host: '127.0.0.1', port: 0 })
})
afterAll(() => listener.drain(AbortSignal.abort()))

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
const V1 = 'PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n'
const LOCAL = '\r\n\r\n\0\r\nQUIT\n\x20\0\0\0'

test.each([
  { name: 'a header of a trusted proxy', trusted: true, bytes: V1 + GET, said: 'from 203.0.113.9' },
  { name: 'a proxy that speaks for itself', trusted: true, bytes: LOCAL + GET, said: 'from 127.0.0.1' },
  { name: 'a trusted proxy without a header', trusted: true, bytes: GET, said: '' },
  { name: 'a header of another peer', trusted: false, bytes: V1 + GET, said: 'BAD_REQUEST' },
  { name: 'another peer without a header', trusted: false, bytes: GET, said: 'from 127.0.0.1' },
])('$name', async ({ trusted, bytes, said }) => {
  isTrusted = trusted
  const answer = await sendRaw(url, bytes)
  expect(answer).toContain(said)
  if (said === '') expect(answer).toBe('')
})
