import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { liveEvent } from '../../schemas/api/events.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'

let daemon: Daemon

beforeAll(async () => {
  daemon = await startDaemon()
})
afterAll(async () => {
  await daemon.stop()
  daemon.remove()
})

const admin = () => ({ authorization: `Bearer ${daemon.key}` })

test('the socket and the listener serve the same table', async () => {
  const overTcp = await fetch(`${daemon.url}/api/admin/system`, { headers: admin() })
  const overSocket = await onSocket('GET', '/api/admin/system')
  expect([overTcp.status, overSocket.status]).toEqual([200, 200])
  const { pid } = (await overTcp.json()) as { pid: number }
  expect(JSON.parse(overSocket.text)).toMatchObject({ pid, state: 'ready' })
  expect(overTcp.headers.get('cache-control')).toBe('no-store')
})

test("a seed's check of health, without a key", async () => {
  const answer = await fetch(`${daemon.url}/auth/providers`)
  expect([answer.status, await answer.json()]).toEqual([200, { providers: [] }])
})

test.each([
  { title: 'no key', path: '/api/admin/system', init: {}, status: 401, code: 'MISSING_KEY' },
  {
    title: 'a wrong key',
    path: '/api/admin/system',
    init: { headers: { 'x-api-key': 'x' } },
    status: 401,
    code: 'INVALID_KEY',
  },
  { title: 'an unknown route', path: '/api/admin/nothing', init: {}, status: 404, code: 'UNKNOWN_ROUTE' },
  {
    title: 'another method',
    path: '/auth/providers',
    init: { method: 'DELETE' },
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
  },
])('$title is refused as a problem', async ({ path, init, status, code }) => {
  const answer = await fetch(daemon.url + path, init)
  expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/problem+json'])
  expect(await answer.json()).toMatchObject({ status, code })
})

test('HEAD and OPTIONS are answered from the table', async () => {
  const head = await fetch(`${daemon.url}/api/admin/system`, { method: 'HEAD', headers: admin() })
  expect([head.status, await head.text()]).toEqual([200, ''])
  const options = await fetch(`${daemon.url}/api/admin/system`, { method: 'OPTIONS' })
  expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS'])
})

const ask = async (method: string, path: string, body?: unknown) => {
  const init = body === undefined ? {} : { body: JSON.stringify(body) }
  const headers = { ...admin(), ...(body !== undefined && { 'content-type': 'application/json' }) }
  const answer = await fetch(daemon.url + path, { method, headers, ...init })
  return { status: answer.status, value: (await answer.json()) as Record<string, unknown> }
}

test('an upstream is added, changed and removed at run time, and its key is never shown', async () => {
  const canary = 'sk-canary-of-the-api-test'
  const body = { name: 'away', provider: 'custom', base_url: 'http://127.0.0.1:9/v1', api_key: canary, models: ['m'] }
  const added = await ask('POST', '/api/admin/upstreams', body)
  expect(added).toMatchObject({ status: 201, value: { name: 'away', has_key: true, from: 'upstreams' } })
  expect(await ask('POST', '/api/admin/upstreams', body)).toMatchObject({
    status: 409,
    value: { code: 'ALREADY_EXISTS' },
  })
  const changed = await ask('PATCH', '/api/admin/upstreams/away', { models: ['m', 'n'], enabled: true })
  expect(changed).toMatchObject({ status: 200 })
  const listed = await ask('GET', '/api/user/models')
  expect(listed.value['models']).toContainEqual(
    expect.objectContaining({ id: 'n', targets: [{ upstream: 'away', model: 'n' }] }),
  )
  const shown = await ask('GET', '/api/admin/config/keys/upstreams.away')
  expect(JSON.stringify([added, changed, shown])).not.toContain(canary)
  expect(await ask('DELETE', '/api/admin/upstreams/away')).toMatchObject({ status: 200 })
  expect(await ask('GET', '/api/admin/upstreams/away')).toMatchObject({ status: 404 })
  expect(daemon.output()).not.toContain(canary)
})

test('a category is made as the seed shows, and stays while a model is in it: IN_USE', async () => {
  const made = await ask('POST', '/api/admin/categories', {
    name: 'thinking',
    description: 'Models for reasoning tasks',
  })
  expect(made).toMatchObject({
    status: 201,
    value: { id: 'thinking', description: 'Models for reasoning tasks', models: [] },
  })
  const model = { id: 'deep', targets: ['echo/echo'], category: 'thinking' }
  expect(await ask('POST', '/api/admin/models', model)).toMatchObject({ status: 201 })
  expect(await ask('GET', '/api/user/categories')).toMatchObject({
    value: { categories: [{ name: 'thinking', models: ['deep'] }] },
  })
  expect(await ask('DELETE', '/api/admin/categories/thinking')).toMatchObject({
    status: 409,
    value: { code: 'IN_USE' },
  })
  expect(await ask('PATCH', '/api/admin/models/deep', { category: null })).toMatchObject({ status: 200 })
  expect(await ask('DELETE', '/api/admin/categories/thinking')).toMatchObject({ status: 200 })
  expect(await ask('DELETE', '/api/admin/models/deep')).toMatchObject({ status: 200 })
  expect(await ask('GET', '/api/admin/categories')).toMatchObject({ value: { categories: [] } })
})

test('a container is asked for by the model that it serves; one that no backend serves is not found', async () => {
  const answer = await ask('POST', '/api/admin/containers/start', { model_id: 'echo' })
  expect(answer).toMatchObject({ status: 404, value: { code: 'BACKEND_NOT_FOUND' } })
})

test('config:write changes models and upstreams, and nothing that decides who may do what', async () => {
  const { token } = JSON.parse((await onSocket('POST', '/v1/tokens', { name: 'w', scopes: ['config:write'] })).text)
  const put = (key: string, value: unknown) =>
    fetch(`${daemon.url}/api/admin/config/keys/${key}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ value }),
    })
  expect((await put('models.fast', { targets: ['echo/echo'] })).status).toBe(200)
  for (const [key, value] of [
    ['auth.token', 'a-token-of-the-attacker'],
    ['server.allow_from', []],
    ['"auth".token', 'x'.repeat(20)],
  ] as const)
    expect((await put(key, value)).status, key).toBe(403)
})

/** The events of a stream as they come. */
async function* eventsOf(response: Response): AsyncGenerator<Record<string, string>> {
  let rest = ''
  for await (const chunk of response.body ?? expect.unreachable('there is a body')) {
    const events = (rest + new TextDecoder().decode(chunk)).split('\n\n')
    rest = events.pop() ?? ''
    for (const event of events)
      yield Object.fromEntries(event.split('\n').map((line) => [line.split(': ', 1)[0], line.replace(/^\w+: /, '')]))
  }
}

async function follow(key: string, lastId?: string) {
  const left = new AbortController()
  const headers = { authorization: `Bearer ${key}`, ...(lastId !== undefined && { 'last-event-id': lastId }) }
  const response = await fetch(`${daemon.url}/api/user/events`, { headers, signal: left.signal })
  return { response, events: eventsOf(response), left }
}

test('server.admin_allow_from is where the routes of operators may be asked from', async () => {
  const other = await startDaemon({
    GATE_SERVER__ADMIN_ALLOW_FROM: '10.1.0.0/16',
    GATE_SERVER__TRUSTED_PROXIES: '127.0.0.1',
    GATE_AUTH__TOKEN: 'the-token-of-the-other-daemon',
  })
  const statusOf = async (path: string, headers: Record<string, string>, method = 'GET') =>
    (await fetch(other.url + path, { method, headers: { authorization: `Bearer ${other.key}`, ...headers } })).status
  try {
    expect(await statusOf('/api/admin/system', {})).toBe(403)
    expect(await statusOf('/api/admin/system', { 'x-forwarded-for': '10.2.0.1' })).toBe(403)
    expect(await statusOf('/api/admin/system', { 'x-forwarded-for': '10.1.0.1' })).toBe(200)
    for (const path of ['/auth/create-token', '/auth/rotate-token']) {
      expect(await statusOf(path, { 'x-forwarded-for': '10.2.0.1' }, 'POST')).toBe(403)
      expect(await statusOf(path, { 'x-forwarded-for': '10.1.0.1' }, 'POST')).not.toBe(403)
    }
    expect(await statusOf('/metrics', {})).toBe(403)
    expect(await statusOf('/api/user/models', {})).toBe(200)
    expect(await statusOf('/v1/models', {})).toBe(200)
  } finally {
    await other.stop()
    other.remove()
  }
})

const makeKey = async (scopes: readonly string[]) =>
  JSON.parse((await onSocket('POST', '/v1/tokens', { name: 'k', scopes })).text) as { id: string; token: string }

describe('GET /api/user/events', () => {
  test('tells an admin of the host, everybody else of their own, and goes on from Last-Event-ID', async () => {
    const first = await follow(daemon.key)
    expect(await first.events.next()).toMatchObject({ value: { retry: '2000' } })
    const { value } = await first.events.next()
    expect(value).toMatchObject({ event: 'metrics' })
    const seen = JSON.parse(value['data'])
    expect(liveEvent.parse(seen)).toMatchObject({ view: 'admin', host: { processors: expect.any(Number) } })
    const again = await follow(daemon.key, String(Number(value['id']) - 1))
    await again.events.next()
    expect(await again.events.next()).toMatchObject({ value: { id: value['id'] } })
    const { token } = await makeKey(['chat:read'])
    const user = await follow(token)
    await user.events.next()
    const shown = JSON.parse((await user.events.next()).value['data'])
    expect(liveEvent.parse(shown)).toEqual({ view: 'user', at: expect.any(String), requests: { own: 1 }, used: null })
    for (const { left } of [first, again, user]) left.abort()
  })

  test('ends with an error when the key is revoked', async () => {
    const { id, token } = await makeKey(['chat:read'])
    const { events } = await follow(token)
    await events.next()
    await onSocket('DELETE', `/v1/tokens/${id}`)
    let last: Record<string, string> = {}
    for await (const event of events) last = event
    expect(last).toMatchObject({ event: 'error', data: expect.stringContaining('INVALID_KEY') })
  })

  test('is for eight of one user at once', async () => {
    const { token } = await makeKey(['chat:read'])
    const all = await Promise.all(Array.from({ length: 8 }, () => follow(token)))
    const refused = await follow(token)
    expect([refused.response.status, await refused.response.json()]).toMatchObject([
      503,
      { code: 'TOO_MANY_FOLLOWERS' },
    ])
    for (const { left } of all) left.abort()
  })
})

function onSocket(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const socketPath = join(daemon.stateDirectory, 'admin.sock')
    const sent = request({ socketPath, method, path, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    sent.once('error', reject)
    sent.end(body === undefined ? '' : JSON.stringify(body))
  })
}
