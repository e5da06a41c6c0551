import { expect, test } from 'vitest'
import { credentialOf } from '../../../../daemon/auth/credential.ts'

test.each([
  { name: 'bearer', headers: { authorization: 'Bearer k1' }, url: '/' },
  { name: 'lower-case scheme', headers: { authorization: 'bearer  k1 ' }, url: '/' },
  { name: 'x-api-key', headers: { 'x-api-key': 'k1' }, url: '/' },
  { name: 'api-key', headers: { 'api-key': 'k1' }, url: '/' },
  { name: 'x-goog-api-key', headers: { 'x-goog-api-key': 'k1' }, url: '/' },
  { name: 'query', headers: {}, url: '/v1/models?a=b&key=k1' },
  { name: 'twice the same', headers: { authorization: 'Bearer k1', 'x-api-key': 'k1' }, url: '/?key=k1' },
])('finds the key in: $name', ({ headers, url }) => {
  expect(credentialOf(headers, url)).toBe('k1')
})

test.each([
  { headers: {}, url: '/', code: 'MISSING_KEY' },
  { headers: { 'x-api-key': '' }, url: '/', code: 'MISSING_KEY' },
  { headers: { authorization: 'Basic abc' }, url: '/', code: 'INVALID_KEY' },
  { headers: { authorization: 'Bearer' }, url: '/', code: 'INVALID_KEY' },
  { headers: { authorization: 'Bearer a b' }, url: '/', code: 'INVALID_KEY' },
  { headers: { authorization: 'Bearer a', 'x-api-key': 'b' }, url: '/', code: 'INVALID_KEY' },
  { headers: { 'x-api-key': 'a' }, url: '/?key=b', code: 'INVALID_KEY' },
  { headers: {}, url: '/?key=a&key=b', code: 'INVALID_KEY' },
])('refuses $headers $url with $code', ({ headers, url, code }) => {
  expect(() => credentialOf(headers, url)).toThrow(expect.objectContaining({ code }))
})
