import { expect, test } from 'vitest'
import { credentialOf } from '../../../../daemon/auth/credential.ts'

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

test.each([
  { name: 'bearer', headers: { authorization: 'Bearer k1' }, url: '/' },
  { name: 'lower-case scheme', headers: { authorization: 'bearer  k1 ' }, url: '/' },
  { name: 'x-api-key', headers: { 'x-api-key': 'k1' }, url: '/' },
  { name: 'api-key', headers: { 'api-key': 'k1' }, url: '/' },
  { name: 'x-goog-api-key', headers: { 'x-goog-api-key': 'k1' }, url: '/' },
  { name: 'query', headers: {}, url: '/v1/models?a=b&key=k1' },
  { name: 'encoded query', headers: {}, url: '/v1/models?%6bey=k1' },
  { name: 'twice the same', headers: { authorization: 'Bearer k1', 'x-api-key': 'k1' }, url: '/?key=k1' },
  { name: 'the same in a cookie', headers: { authorization: 'Bearer k1', cookie: 'se_session=k1' }, url: '/' },
])('finds the key in: $name', ({ headers, url }) => {
  expect(credentialOf(headers, url, () => false)).toEqual({ kind: 'secret', text: 'k1' })
})

test.each([
  { cookie: 'se_session=s1', text: 's1' },
  { cookie: 'a=b; se_session=s1; c=d', text: 's1' },
  { cookie: '__Host-se_session=s1', text: 's1' },
  { cookie: 'se_session=s1; se_session=s1', text: 's1' },
  // the one that only this host can have set over HTTPS counts, wherever it is
  { cookie: 'se_session=planted; __Host-se_session=s1', text: 's1' },
  { cookie: '__Host-se_session=s1; se_session=planted', text: 's1' },
  { cookie: 'se_session=planted; se_session=twice; __Host-se_session=s1', text: 's1' },
])('finds the session in the cookie $cookie', ({ cookie, text }) => {
  expect(credentialOf({ cookie }, '/', () => false)).toEqual({ kind: 'cookie', text })
})

test.each([
  { text: 'admin:changeme', username: 'admin', password: 'changeme' },
  { text: 'admin:a:b', username: 'admin', password: 'a:b' },
  { text: 'admin:', username: 'admin', password: '' },
  { text: 'jörg:pässwort', username: 'jörg', password: 'pässwort' },
])('finds name and password in Basic $text', ({ text, username, password }) => {
  expect(credentialOf({ authorization: basic(text) }, '/', () => false)).toEqual({ kind: 'basic', username, password })
})

test.each([
  { headers: {}, url: '/' },
  { headers: { 'x-api-key': '' }, url: '/' },
  { headers: { cookie: 'other=1; my_se_session=2; se_session_=3' }, url: '/' },
])('finds nothing in $headers $url', ({ headers, url }) => {
  expect(credentialOf(headers, url, () => false)).toEqual({ kind: 'none' })
})

test.each([
  { headers: { authorization: 'Basic abc' }, url: '/' },
  { headers: { authorization: 'Basic' }, url: '/' },
  { headers: { authorization: 'Bearer' }, url: '/' },
  { headers: { authorization: 'Bearer a b' }, url: '/' },
  { headers: { authorization: 'Digest a' }, url: '/' },
  { headers: { authorization: 'Bearer a', 'x-api-key': 'b' }, url: '/' },
  { headers: { 'x-api-key': 'a' }, url: '/?key=b' },
  { headers: {}, url: '/?key=a&key=b' },
  { headers: { authorization: 'Bearer a', cookie: 'se_session=b' }, url: '/' },
  { headers: { authorization: basic('a:b'), cookie: 'se_session=b' }, url: '/' },
  { headers: { authorization: basic('a:b'), 'x-api-key': 'b' }, url: '/' },
  { headers: { cookie: 'se_session=a; se_session=b' }, url: '/' },
  { headers: { cookie: '__Host-se_session=a; __Host-se_session=b' }, url: '/' },
])('refuses $headers $url', ({ headers, url }) => {
  expect(() => credentialOf(headers, url, () => false)).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }))
})

test.each([
  { cookie: 'se_session=planted', text: null },
  { cookie: '__Host-se_session=s1', text: 's1' },
  { cookie: 'se_session=planted; __Host-se_session=s1', text: 's1' },
  { cookie: 'se_session=a; __Host-se_session=s1; se_session=b', text: 's1' },
])('over HTTPS the plain cookie neither counts nor stands in the way: $cookie', ({ cookie, text }) => {
  expect(credentialOf({ cookie }, '/', () => true)).toEqual(text === null ? { kind: 'none' } : { kind: 'cookie', text })
})
