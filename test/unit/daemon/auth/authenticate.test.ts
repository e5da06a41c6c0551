import type { IncomingHttpHeaders } from 'node:http'
import { expect, test } from 'vitest'
import { type AuthSettings, authenticate, NO_OTHER_PROOFS, type Proofs } from '../../../../daemon/auth/authenticate.ts'
import { ANYBODY, type Principal } from '../../../../daemon/auth/principal.ts'

const named = (name: string, more: Partial<Principal> = {}): Principal => ({ ...ANYBODY, name, ...more })
const PROOFS: Proofs = {
  key: (text) =>
    text === 'k'
      ? named('key')
      : text === 'home'
        ? named('home', { addresses: new Set(['10.0.0.1']) })
        : text === 'lent'
          ? named('lent', { node: 'n1' })
          : null,
  session: (text) => (text === 's' ? named('session') : null),
  accessToken: (text) => (text === 'a' ? named('access token') : null),
  basic: (username, password) => (`${username}:${password}` === 'u:p' ? Promise.resolve(named('basic')) : null),
  ambient: (_, peer) => (peer === '10.0.0.7' ? Promise.resolve(named('proxy')) : null),
}
const SETTINGS: AuthSettings = {
  isOpen: false,
  origins: new Set(['https://ai.example.org']),
  addressOf: (_, peer) => peer ?? 'unknown',
  isOwnHost: (host) => host !== 'evil.example',
  isSecured: (_, { secured }) => secured !== null,
}
type Sent = {
  readonly method?: string
  readonly headers: IncomingHttpHeaders
  readonly peer?: string
  readonly url?: string
  readonly secured?: boolean
  readonly peerNode?: string
}
const ask = async (
  { method = 'GET', headers, peer = '10.0.0.1', url = '/', secured = false, peerNode }: Sent,
  settings = SETTINGS,
) =>
  authenticate(
    { method, headers, socket: {} },
    url,
    { peer, secured: secured ? { isFor: () => true } : null, ...(peerNode !== undefined && { peerNode }) },
    PROOFS,
    settings,
  )

test.each([
  { headers: { authorization: 'Bearer k' }, name: 'key' },
  { headers: { authorization: 'Bearer s' }, name: 'session' },
  { headers: { 'x-api-key': 'a' }, name: 'access token' },
  { headers: { 'x-api-key': 'a', host: 'evil.example' }, name: 'access token' },
  { headers: { cookie: 'se_session=s' }, name: 'session' },
  { headers: { authorization: 'Basic dTpw' }, name: 'basic' },
  { headers: {}, peer: '10.0.0.7', name: 'proxy' },
  { headers: { authorization: 'Bearer home' }, name: 'home' },
  { headers: { authorization: 'Bearer lent' }, peerNode: 'n1', name: 'lent' },
  { headers: { authorization: 'Bearer k' }, peerNode: 'n1', name: 'key' },
])('$headers is $name', async ({ name, ...sent }) => {
  expect(await ask(sent)).toMatchObject({ name })
})

test.each([
  { headers: {}, code: 'MISSING_KEY' },
  { headers: { authorization: 'Bearer x' }, code: 'INVALID_KEY' },
  { headers: { cookie: 'se_session=x' }, code: 'SESSION_EXPIRED' },
  { headers: { cookie: 'se_session=s' }, secured: true, code: 'MISSING_KEY' },
  { headers: { cookie: 'se_session=s', host: 'evil.example' }, code: 'MISDIRECTED' },
  // a key in a cookie is none
  { headers: { cookie: 'se_session=k' }, code: 'SESSION_EXPIRED' },
  { headers: { authorization: 'Basic eDp5' }, code: 'INVALID_KEY' },
  { headers: { authorization: 'Bearer home' }, peer: '10.0.0.2', code: 'FORBIDDEN_ADDRESS' },
  // the key of an invitation, from a client that is no gateway, and from another gateway
  { headers: { authorization: 'Bearer lent' }, code: 'FORBIDDEN_ADDRESS' },
  { headers: { authorization: 'Bearer lent' }, secured: true, code: 'FORBIDDEN_ADDRESS' },
  { headers: { authorization: 'Bearer lent' }, peerNode: 'n2', code: 'FORBIDDEN_ADDRESS' },
])('$headers from $peer is refused: $code', async ({ code, ...sent }) => {
  await expect(ask(sent)).rejects.toMatchObject({ code })
})

test('a key is found without a promise', () => {
  const asked = { method: 'POST', headers: { authorization: 'Bearer k' }, socket: {} }
  expect(authenticate(asked, '/', { peer: '10.0.0.1', secured: null }, PROOFS, SETTINGS)).not.toBeInstanceOf(Promise)
})

test('with auth.mode none everyone is the same, whatever they send', async () => {
  expect(await ask({ headers: { authorization: 'Bearer x' } }, { ...SETTINGS, isOpen: true })).toBe(ANYBODY)
})

test('nothing but keys counts where nothing else is configured', () => {
  const proofs = { ...NO_OTHER_PROOFS, key: () => null }
  for (const headers of [{}, { cookie: 'se_session=s' }, { authorization: 'Basic dTpw' }, { 'x-api-key': 'a' }]) {
    expect(() =>
      authenticate({ headers, socket: {} }, '/', { peer: '10.0.0.7', secured: null }, proofs, SETTINGS),
    ).toThrow()
  }
})

const SESSION = { cookie: 'se_session=s' }
test.each([
  { what: 'a page of Gate', headers: { 'sec-fetch-site': 'same-origin' }, reads: true, writes: true },
  {
    what: 'the address bar',
    headers: { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' },
    reads: true,
    writes: true,
  },
  {
    what: 'a listed page',
    headers: { 'sec-fetch-site': 'cross-site', origin: 'https://ai.example.org' },
    reads: true,
    writes: true,
  },
  { what: 'a listed page in an old browser', headers: { origin: 'https://ai.example.org' }, reads: true, writes: true },
  { what: 'a program', headers: {}, reads: true, writes: false },
  { what: 'another port of the host', headers: { 'sec-fetch-site': 'same-site' }, reads: false, writes: false },
  { what: 'another site', headers: { 'sec-fetch-site': 'cross-site' }, reads: false, writes: false },
  {
    what: 'a link',
    headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
    reads: true,
    writes: false,
  },
  { what: 'another site in an old browser', headers: { origin: 'https://evil.example' }, reads: true, writes: false },
  {
    what: 'a page without an origin',
    headers: { origin: 'null', 'sec-fetch-site': 'cross-site' },
    reads: false,
    writes: false,
  },
  {
    what: 'an origin that begins alike',
    headers: { origin: 'https://ai.example.org.evil.example' },
    reads: true,
    writes: false,
  },
])('S12: with a cookie, $what may read: $reads, write: $writes', async ({ what, headers, reads, writes }) => {
  const may = (method: string, credential: IncomingHttpHeaders) =>
    ask({ method, headers: { ...headers, ...credential } }).then(
      () => true,
      (error) => (error.code === 'CSRF_REFUSED' ? false : error.code),
    )
  const basic = { authorization: 'Basic dTpw' }
  for (const method of ['GET', 'HEAD']) expect(await may(method, SESSION), method).toBe(reads)
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    expect(await may(method, SESSION), method).toBe(writes)
    // programs send names and passwords as well, and say nothing of a site
    expect(await may(method, basic), `${method} with Basic`).toBe(writes || what === 'a program')
    expect(await may(method, { authorization: 'Bearer k' }), `${method} with a key`).toBe(true)
  }
})
