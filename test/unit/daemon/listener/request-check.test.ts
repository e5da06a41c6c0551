import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { checkRequest } from '../../../../daemon/listener/request-check.ts'

/** A request as Node's parser hands it over. */
function requestOf(url: string, rawHeaders: readonly string[], httpVersion = '1.1', method = 'GET'): IncomingMessage {
  const pairs = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), rawHeaders[i + 1] ?? '']] : []))
  const headers = Object.fromEntries(pairs)
  const httpVersionMinor = Number(httpVersion.slice(2))
  return {
    url,
    method,
    rawHeaders: [...rawHeaders],
    headers,
    httpVersion,
    httpVersionMinor,
  } as unknown as IncomingMessage
}

test.each([
  { url: '/v1/models?a=b', headers: ['Host', 'x'], version: '1.1', target: '/v1/models?a=b' },
  { url: 'http://X:80/health', headers: ['Host', 'x:80'], version: '1.1', target: '/health' },
  { url: '/health', headers: [], version: '1.0', target: '/health' },
])('takes $url as $target', ({ url, headers, version, target }) => {
  expect(checkRequest(requestOf(url, headers, version))).toBe(target)
})

test('B12: OPTIONS asks about the server as a whole, no other method does', () => {
  expect(checkRequest(requestOf('*', ['Host', 'x'], '1.1', 'OPTIONS'))).toBe('*')
  const code = 'BAD_REQUEST'
  expect(() => checkRequest(requestOf('*', ['Host', 'x']))).toThrow(expect.objectContaining({ code }))
})

test.each([
  {
    name: 'B12: an expectation that is not known',
    headers: ['Host', 'x', 'Expect', 'payment'],
    version: '1.1',
    code: 'EXPECTATION_FAILED',
  },
  { name: 'B12: HTTP/2.0', headers: ['Host', 'x'], version: '2.0', code: 'BAD_REQUEST' },
  { name: 'HTTP/0.9', headers: ['Host', 'x'], version: '0.9', code: 'BAD_REQUEST' },
  { name: 'HTTP/1.2', headers: ['Host', 'x'], version: '1.2', code: 'BAD_REQUEST' },
  { name: 'no Host', headers: [], version: '1.1', code: 'INVALID_HOST' },
  { name: 'two Hosts', headers: ['Host', 'a', 'host', 'a'], version: '1.1', code: 'INVALID_HOST' },
  {
    name: 'two lengths',
    headers: ['Host', 'x', 'Content-Length', '1', 'content-length', '1'],
    version: '1.1',
    code: 'AMBIGUOUS_LENGTH',
  },
  {
    name: 'two credentials',
    headers: ['Host', 'x', 'Authorization', 'a', 'authorization', 'a'],
    version: '1.1',
    code: 'BAD_REQUEST',
  },
  {
    name: 'another encoding',
    headers: ['Host', 'x', 'Transfer-Encoding', 'gzip, chunked'],
    version: '1.1',
    code: 'AMBIGUOUS_LENGTH',
  },
])('refuses $name', ({ headers, version, code }) => {
  expect(() => checkRequest(requestOf('/', headers, version))).toThrow(expect.objectContaining({ code }))
})
