// What is taken away reaches an open stream within seconds and the next request at once (S15).
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import { type FakeUpstream, frame, STREAM_HEADERS, startFakeUpstream, upstreamEnv } from '../support/fake-upstream.ts'

/** What the issue grants until an open stream must be cut. */
const LONGEST_MS = 5_000

let upstream: FakeUpstream
let gate: Daemon
beforeAll(async () => {
  upstream = await startFakeUpstream((_, response) => {
    response.writeHead(200, STREAM_HEADERS)
    response.write(frame({ content: 'first' }))
  })
  gate = await startDaemon(upstreamEnv('mock', upstream.url))
  await made('/api/admin/users', { name: 'standing', role: 'admin' }) // nobody removes the last one
})
afterAll(async () => {
  await gate.kill()
  gate.remove()
  await upstream.close()
})

type Json = Record<string, string>

/** One call of the API. @returns status and body */
async function api(
  method: string,
  path: string,
  body?: object,
  key = gate.key,
): Promise<{ status: number; json: Json }> {
  const response = await fetch(gate.url + path, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: response.status, json: (await response.json()) as Json }
}
async function made(path: string, body: object, key = gate.key): Promise<Json> {
  const { status, json } = await api('POST', path, body, key)
  if (status !== 201) throw new Error(`${path}: ${status} ${JSON.stringify(json)}`)
  return json
}

const CHAT = { model: 'mock', stream: true, messages: [] }

/** Opens a stream and returns when its first frame is here. */
async function openStream(key: string): Promise<{ readonly text: Promise<string> }> {
  const response = await fetch(`${gate.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(CHAT),
  })
  let received = ''
  const text = (async () => {
    for await (const chunk of response.body ?? []) received += Buffer.from(chunk as Uint8Array).toString()
    return received
  })()
  text.catch(() => {})
  await until(() => received.includes('first'))
  return { text }
}

let count = 0
/** A person, and a key of theirs. */
async function person(role: string, key: object) {
  count += 1
  const user = await made('/api/admin/users', { name: `user-${count}`, role })
  return { user, own: await made('/api/admin/keys', { name: 'own', owner: user['id'], ...key }) }
}
const WRITE = { scopes: ['chat:write'] }

type Case = {
  readonly what: string
  /** @returns the text of a key, and what takes its right away */
  readonly make: () => Promise<{ readonly key: string | undefined; readonly take: () => Promise<{ status: number }> }>
  readonly says: string
  readonly next: number
}

const ofKey = (body: object | null) => async () => {
  const { id, token } = await made('/api/admin/keys', { name: 'k', service: true, ...WRITE })
  const path = `/api/admin/keys/${id}`
  return { key: token, take: () => (body === null ? api('DELETE', path) : api('PATCH', path, body)) }
}
const ofOwner = (body: object | null) => async () => {
  const { user, own } = await person('member', WRITE)
  const path = `/api/admin/users/${user['id']}`
  return { key: own['token'], take: () => (body === null ? api('DELETE', path) : api('PATCH', path, body)) }
}
const ofMaker = (body: object | null) => async () => {
  const { user, own } = await person('admin', { scopes: ['admin'] })
  const child = await made('/auth/create-token', { name: 'child', service: true, ...WRITE }, own['token'])
  const path = `/api/admin/users/${user['id']}`
  return { key: child['token'], take: () => (body === null ? api('DELETE', path) : api('PATCH', path, body)) }
}

describe('a stream ends, and the next request is refused, when', () => {
  test.each<Case>([
    { what: 'the key is revoked', make: ofKey(null), says: 'revoked', next: 401 },
    { what: 'the key is disabled', make: ofKey({ disabled: true }), says: 'disabled', next: 401 },
    { what: 'the key expires', make: ofKey({ expires_in: '1ms' }), says: 'expired', next: 401 },
    { what: 'the key loses a scope', make: ofKey({ scopes: ['config:read'] }), says: 'may do less', next: 403 },
    { what: 'the key loses a model', make: ofKey({ models: ['other'] }), says: 'may do less', next: 404 },
    {
      what: 'the key may come from elsewhere',
      make: ofKey({ addresses: ['192.0.2.1'] }),
      says: 'may do less',
      next: 403,
    },
    { what: 'its owner is disabled', make: ofOwner({ disabled: true }), says: 'disabled', next: 401 },
    { what: 'its owner is removed', make: ofOwner(null), says: 'removed', next: 401 },
    { what: 'its owner may only look', make: ofOwner({ role: 'viewer' }), says: 'may do less', next: 403 },
    { what: 'who made it is disabled', make: ofMaker({ disabled: true }), says: 'disabled', next: 401 },
    { what: 'who made it is removed', make: ofMaker(null), says: 'removed', next: 401 },
    { what: 'who made it may only look', make: ofMaker({ role: 'viewer' }), says: 'may do less', next: 403 },
  ])('$what', { timeout: LONGEST_MS + 5_000 }, async ({ make, says, next }) => {
    const { key = '', take } = await make()
    const { text } = await openStream(key)
    expect((await take()).status).toBe(200)
    const refused = await api('POST', '/v1/chat/completions', CHAT, key)
    expect(refused.status).toBe(next)
    const late = new Promise<string>((resolve) => setTimeout(resolve, LONGEST_MS, 'too late').unref())
    const said = await Promise.race([text, late])
    expect(said).toContain(says)
    expect(said).not.toContain('[DONE]')
    await until(() => upstream.seen.at(-1)?.aborted === true)
  })
})

test('what gains a right, or nothing that it uses, keeps its stream', async () => {
  const { user, own } = await person('member', WRITE)
  const { text } = await openStream(own['token'] ?? '')
  await api('PATCH', `/api/admin/keys/${own['id']}`, { name: 'another name', limits: ['slow'] })
  await api('PATCH', `/api/admin/users/${user['id']}`, { role: 'admin', email: 'a@example.org' })
  const rotated = await api('POST', `/api/admin/keys/${own['id']}/rotate`, { overlap: '1h' })
  const other = await person('member', WRITE)
  await api('DELETE', `/api/admin/users/${other.user['id']}`)
  const isOpen = await Promise.race([text.then(() => false), new Promise((resolve) => setImmediate(resolve, true))])
  expect(isOpen).toBe(true)
  for (const key of [own['token'], rotated.json['token']])
    expect((await api('GET', '/v1/models', undefined, key)).status).toBe(200)
  await api('DELETE', `/api/admin/keys/${own['id']}`)
  expect(await text).toContain('revoked')
  expect((await api('GET', '/v1/models', undefined, rotated.json['token'])).status).toBe(401)
})

test('a job in the background ends with the right to it', async () => {
  const { id, token = '' } = await made('/api/admin/keys', { name: 'job', service: true, ...WRITE })
  const asked = upstream.seen.length
  const job = await api('POST', '/v1/responses', { model: 'mock', input: 'x', background: true, store: true }, token)
  expect(job.status).toBe(200)
  await until(() => upstream.seen.length > asked)
  await api('DELETE', `/api/admin/keys/${id}`)
  await until(() => upstream.seen.at(-1)?.aborted === true)
})

test('a member does nothing that is an administrator’s, with any key of theirs (S7, S9)', async () => {
  const { own } = await person('member', WRITE)
  for (const [method, path] of [
    ['GET', '/api/admin/keys'],
    ['POST', '/api/admin/keys'],
    ['GET', '/api/admin/users'],
    ['PATCH', '/api/admin/users/x'],
    ['POST', '/auth/create-token'],
    ['POST', '/auth/rotate-token'],
  ] as const)
    expect((await api(method, path, method === 'GET' ? undefined : {}, own['token'])).status, path).toBe(403)
  expect((await api('GET', '/auth/me', undefined, own['token'])).json).toMatchObject({
    via: 'key',
    scopes: ['chat:write'],
  })
})
