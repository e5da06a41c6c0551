import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json, text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AdminSocketError } from '../../../../daemon/admin/socket.ts'
import { adminProblem, logRecord } from '../../../../schemas/admin.ts'
import { API_ANSWERS, type ApiRouteName } from '../../../../schemas/api/answers.ts'
import { GateError } from '../../../../schemas/words/errors.ts'
import { startAdminDaemon } from '../../../support/admin-daemon.ts'

let daemon: Awaited<ReturnType<typeof startAdminDaemon>>
beforeEach(async () => {
  daemon = await startAdminDaemon()
})
afterEach(() => daemon.stop())

async function ask(method: string, path: string, body?: string | Buffer) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request({ socketPath: daemon.socketPath, method, path, agent: false }, resolve)
    sent.once('error', reject)
    sent.end(body)
  })
  return { status: response.statusCode, type: response.headers['content-type'], answer: await json(response) }
}

/** Writes bytes as they are and returns everything that comes back until the daemon closes. */
async function sendRaw(bytes: string): Promise<string> {
  const socket = connect(daemon.socketPath)
  socket.write(bytes)
  return text(socket)
}

test.each<{ route: ApiRouteName; path?: string; body?: unknown }>([
  { route: 'GET /api/admin/system' },
  { route: 'POST /api/admin/reload' },
  { route: 'GET /v1/tokens' },
  { route: 'POST /v1/tokens', body: { name: 'a', scopes: ['chat:read', 'admin'], expires_in: '30d' } },
  { route: 'POST /v1/tokens', body: { name: 'a', scopes: ['chat:write'], models: ['coder', 'local/*'] } },
  { route: 'POST /v1/tokens', body: { name: 'a', scopes: ['chat:write'], pinned: 'coder', names_users: true } },
  { route: 'GET /api/admin/usage' },
  { route: 'GET /api/admin/usage', path: '/api/admin/usage?since=2026-11-29T00:00:00.000Z' },
  { route: 'POST /api/admin/route', body: { model: 'chat', holds: ['image'] } },
  { route: 'POST /api/admin/route', body: { dialect: 'anthropic', request: { model: 'chat', messages: [] } } },
  { route: 'GET /api/admin/config' },
  { route: 'GET /api/admin/config/diff' },
  { route: 'GET /api/admin/config/promote', path: '/v1/config/promote?format=nix' },
  { route: 'POST /api/admin/config/validate', body: { text: 'broken' } },
  { route: 'POST /api/admin/config/validate', body: {} },
  { route: 'GET /api/admin/config/keys/{key}', path: '/v1/config/keys/server.port' },
  { route: 'GET /api/admin/config/keys/{key}', path: '/v1/config/keys/letsencrypt.email' },
  { route: 'PUT /api/admin/config/keys/{key}', path: '/v1/config/keys/server.port', body: { text: '5000' } },
  {
    route: 'PUT /api/admin/config/keys/{key}',
    path: '/v1/config/keys/log.level',
    body: { value: 'debug', force: true },
  },
  { route: 'DELETE /api/admin/config/keys/{key}', path: '/v1/config/keys/log.level' },
])('answers $route in its shape ($body)', async ({ route, path, body }) => {
  const [method = '', pattern = ''] = route.split(' ')
  const { status, type, answer } = await ask(
    method,
    path ?? pattern,
    body === undefined ? undefined : JSON.stringify(body),
  )
  expect({ status, type }).toEqual({ status: 200, type: 'application/json' })
  expect(API_ANSWERS[route].safeParse(answer).error).toBeUndefined()
})

test.each([
  { name: 'made', audit: ['key.create done'], how: () => makeKey() },
  { name: 'refused', audit: ['key.create refused BAD_REQUEST'], how: () => ask('POST', '/v1/tokens', '{}') },
  {
    name: 'revoked twice',
    audit: ['key.create done', 'key.revoke done', 'key.revoke refused TOKEN_NOT_FOUND'],
    how: async () => {
      const { id } = API_ANSWERS['POST /v1/tokens'].parse((await makeKey()).answer)
      for (let n = 0; n < 2; n++) await ask('DELETE', `/v1/tokens/${id}`)
    },
  },
  { name: 'listed', audit: [], how: () => ask('GET', '/v1/tokens') },
])('the audit has the key that was $name under the older name of its route', async ({ audit, how }) => {
  await how()
  const shown = daemon.audited.map(({ action, outcome, reason }) => [action, outcome, reason ?? ''].join(' ').trim())
  expect(shown).toEqual(audit)
  for (const { who, from, object } of daemon.audited.filter(({ outcome }) => outcome === 'done')) {
    expect({ who: who.via, from: from.via }).toEqual({ who: 'socket', from: 'socket' })
    expect(object).toMatch(/^key:[\da-f-]{36}$/)
  }
  expect(JSON.stringify(daemon.audited)).not.toContain('gate_')
})

test('no key is made while the audit cannot be written', async () => {
  Object.assign(daemon.audit, {
    require: () => {
      throw new GateError('STORE_UNAVAILABLE', 'the disk is full')
    },
  })
  expect((await makeKey()).answer).toMatchObject({ code: 'STORE_UNAVAILABLE' })
  expect(daemon.access.tokens.list()).toEqual([])
})

const makeKey = () => ask('POST', '/v1/tokens', JSON.stringify({ name: 'a', scopes: ['admin'] }))

test('revokes a key once', async () => {
  const made = await ask('POST', '/v1/tokens', JSON.stringify({ name: 'a', scopes: ['admin'] }))
  const { id } = API_ANSWERS['POST /v1/tokens'].parse(made.answer)
  const revoked = await ask('DELETE', `/v1/tokens/${id}`)
  expect(API_ANSWERS['DELETE /v1/tokens/:'].parse(revoked.answer)).toEqual({ id, revoked: true })
  expect((await ask('DELETE', `/v1/tokens/${id}`)).status).toBe(404)
  const list = API_ANSWERS['GET /v1/tokens'].parse((await ask('GET', '/v1/tokens')).answer)
  expect(list.tokens[0]?.revoked_at).toBeDefined()
})

test.each<{ name: string; method: string; path: string; body?: string; status: number; code: string }>([
  { name: 'an unknown route', method: 'GET', path: '/v1/nothing', status: 404, code: 'UNKNOWN_ROUTE' },
  { name: 'the root', method: 'GET', path: '/', status: 404, code: 'UNKNOWN_ROUTE' },
  { name: 'a route of Object.prototype', method: 'GET', path: '/constructor', status: 404, code: 'UNKNOWN_ROUTE' },
  { name: 'an empty parameter', method: 'GET', path: '/v1/config/keys/', status: 404, code: 'UNKNOWN_ROUTE' },
  { name: 'a wrong method', method: 'PUT', path: '/v1/status', status: 405, code: 'METHOD_NOT_ALLOWED' },
  { name: 'a wrong escape', method: 'GET', path: '/v1/config/keys/%ff', status: 400, code: 'BAD_REQUEST' },
  { name: 'a target that is no path', method: 'GET', path: '//[', status: 400, code: 'BAD_REQUEST' },
  { name: 'no JSON', method: 'POST', path: '/v1/tokens', body: '{', status: 400, code: 'INVALID_JSON' },
  { name: 'no body', method: 'POST', path: '/v1/tokens', status: 400, code: 'BAD_REQUEST' },
  { name: 'a list as body', method: 'POST', path: '/v1/tokens', body: '[]', status: 400, code: 'BAD_REQUEST' },
  {
    name: 'an unknown scope',
    method: 'POST',
    path: '/v1/tokens',
    body: '{"name":"a","scopes":["root"]}',
    status: 400,
    code: 'BAD_REQUEST',
  },
  {
    name: 'a name that would move the cursor',
    method: 'POST',
    path: '/v1/tokens',
    body: '{"name":"a\\u001b[2J","scopes":["admin"]}',
    status: 400,
    code: 'BAD_REQUEST',
  },
  {
    name: 'an unknown member',
    method: 'POST',
    path: '/v1/tokens',
    body: '{"name":"a","scopes":["admin"],"token":"mine"}',
    status: 400,
    code: 'BAD_REQUEST',
  },
  ...[[], [''], ['a\u0007'], 'coder', Array.from({ length: 101 }, String)].map((models) => ({
    name: `models ${JSON.stringify(models).slice(0, 20)}`,
    method: 'POST',
    path: '/v1/tokens',
    body: JSON.stringify({ name: 'a', scopes: ['chat:write'], models }),
    status: 400,
    code: 'BAD_REQUEST',
  })),
  ...['soon', '0s', '99999999d'].map((life) => ({
    name: `a life of ${life}`,
    method: 'POST',
    path: '/v1/tokens',
    body: JSON.stringify({ name: 'a', scopes: ['admin'], expires_in: life }),
    status: 400,
    code: 'BAD_REQUEST',
  })),
  {
    name: 'a deep body',
    method: 'PUT',
    path: '/v1/config/keys/log.level',
    body: `${'['.repeat(500_000)}${']'.repeat(500_000)}`,
    status: 400,
    code: 'BAD_REQUEST',
  },
  { name: 'an unknown format', method: 'GET', path: '/v1/config/promote?format=x', status: 400, code: 'BAD_REQUEST' },
  { name: 'a log without count', method: 'GET', path: '/v1/logs?n=-1', status: 400, code: 'BAD_REQUEST' },
  { name: 'a log of no level', method: 'GET', path: '/v1/logs?level=loud', status: 400, code: 'BAD_REQUEST' },
  {
    name: 'a body of 1 MiB and a byte',
    method: 'POST',
    path: '/v1/config/validate',
    body: 'x'.repeat(2 ** 20 + 1),
    status: 413,
    code: 'BODY_TOO_LARGE',
  },
  {
    name: 'a shadowed key',
    method: 'PUT',
    path: '/v1/config/keys/upstreams.openai.api_key',
    body: '{"value":"x"}',
    status: 409,
    code: 'SHADOWED',
  },
])('refuses $name with a problem and goes on', async ({ method, path, body, status, code }) => {
  const refused = await ask(method, path, body)
  expect(refused.type).toBe('application/problem+json')
  expect(adminProblem.parse(refused.answer)).toMatchObject({ status, code })
  expect(refused.status).toBe(status)
  expect((await ask('GET', '/v1/status')).status).toBe(200)
})

test.each([
  { name: 'garbage', bytes: '\u0000\u0001garbage\r\n\r\n' },
  { name: 'a TLS hello', bytes: '\u0016\u0003\u0001\u0002\u0000' },
  { name: 'two lengths', bytes: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab' },
  { name: 'a huge header', bytes: `GET / HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(20_000)}\r\n\r\n` },
])('answers $name with a 4xx and closes', async ({ bytes }) => {
  expect(await sendRaw(bytes)).toMatch(/^HTTP\/1\.1 4\d\d /)
  expect((await ask('GET', '/v1/status')).status).toBe(200)
})

test('survives clients that leave in the middle of a request', async () => {
  for (const bytes of ['PO', 'POST /v1/tokens HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{"na']) {
    const socket = connect(daemon.socketPath)
    await new Promise<void>((resolve) => socket.write(bytes, () => resolve()))
    socket.destroy()
  }
  expect((await ask('GET', '/v1/status')).status).toBe(200)
})

test('sends the last lines of a level', async () => {
  for (let i = 0; i < 5; i++) daemon.logs.log(i % 2 === 0 ? 'warn' : 'debug', 'line', { count: i })
  const lines = await sendRaw('GET /v1/logs?n=2&level=warn HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
  const records = [...lines.matchAll(/^\{.*\}$/gm)].map((match) => logRecord.parse(JSON.parse(match[0])))
  expect(records.map((r) => r.count)).toEqual([2, 4])
})

/** Counts who follows the log from now on. */
function countFollowers(): () => number {
  let following = 0
  const follow = daemon.logs.follow
  Object.assign(daemon.logs, {
    follow: (listener: Parameters<typeof follow>[0]) => {
      following += 1
      const stop = follow(listener)
      return () => {
        following -= 1
        stop()
      }
    },
  })
  return () => following
}

test('follows the log, and stops when the client leaves', async () => {
  const following = countFollowers()
  const response = await new Promise<IncomingMessage>((resolve) => {
    request({ socketPath: daemon.socketPath, path: '/v1/logs?n=0&follow=true', agent: false }, resolve).end()
  })
  expect(following()).toBe(1)
  daemon.logs.log('info', 'after')
  const [chunk] = (await response.setEncoding('utf8').take(1).toArray()) as string[]
  expect(logRecord.parse(JSON.parse(chunk ?? '')).message).toBe('after')
  response.destroy()
  await expect.poll(following, { timeout: 5_000 }).toBe(0)
})

test('lets a follower go that does not read', async () => {
  const following = countFollowers()
  const socket = connect(daemon.socketPath).pause()
  socket.on('error', () => {})
  socket.write('GET /v1/logs?n=0&follow=true HTTP/1.1\r\nhost: a\r\n\r\n')
  await expect.poll(following, { timeout: 5_000 }).toBe(1)
  for (let i = 0; i < 2_000; i++) daemon.logs.log('info', 'x'.repeat(2_000))
  await expect.poll(following, { timeout: 5_000 }).toBe(0)
  socket.destroy()
  expect((await ask('GET', '/v1/status')).status).toBe(200)
})

test('follows at most 16 clients at once', async () => {
  const following = countFollowers()
  const sockets = Array.from({ length: 16 }, () => connect(daemon.socketPath))
  for (const socket of sockets) socket.write('GET /v1/logs?n=0&follow=true HTTP/1.1\r\nhost: a\r\n\r\n')
  await expect.poll(following, { timeout: 5_000 }).toBe(16)
  const refused = await ask('GET', '/v1/logs?follow=true')
  expect(adminProblem.parse(refused.answer).code).toBe('TOO_MANY_FOLLOWERS')
  for (const socket of sockets) socket.destroy()
  await expect.poll(following, { timeout: 5_000 }).toBe(0)
})

test('ends followers when it closes', async () => {
  const response = await new Promise<IncomingMessage>((resolve) => {
    request({ socketPath: daemon.socketPath, path: '/v1/logs?n=0&follow=true', agent: false }, resolve).end()
  })
  const ended = text(response)
  await daemon.server.close(5_000)
  expect(await ended).toBe('')
})

test('makes the socket with mode 0660 and removes it when it closes', async () => {
  expect(statSync(daemon.socketPath).mode & 0o777).toBe(0o660)
  await daemon.server.close(1_000)
  expect(existsSync(daemon.socketPath)).toBe(false)
})

test('refuses a path on which another daemon answers, and leaves that one alone', async () => {
  await expect(startAdminDaemon(daemon.socketPath)).rejects.toThrow(AdminSocketError)
  await expect(startAdminDaemon(daemon.socketPath)).rejects.toThrow(/another gate-daemon answers there/)
  expect((await ask('GET', '/v1/status')).status).toBe(200)
})

test('refuses a path with a file that is no socket, and a path that is too long', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gate-admin-'))
  try {
    writeFileSync(join(folder, 'file'), 'precious')
    await expect(startAdminDaemon(join(folder, 'file'))).rejects.toThrow(/not a socket; move it away/)
    await expect(startAdminDaemon(join(folder, 'x'.repeat(108)))).rejects.toThrow(/longer than 107 bytes/)
    await expect(startAdminDaemon(join(folder, 'absent', 'admin.sock'))).rejects.toThrow(
      /there is no directory .*absent; make it/,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})
