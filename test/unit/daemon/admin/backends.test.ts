import { type IncomingMessage, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { AdminBackends } from '../../../../daemon/admin/routes/backends.ts'
import { agentClient } from '../../../../daemon/backends/agent-client.ts'
import { adminProblem, type BackendInfo } from '../../../../schemas/admin.ts'
import { API_ANSWERS, type ApiRouteName } from '../../../../schemas/api/answers.ts'
import { startAdminDaemon } from '../../../support/admin-daemon.ts'
import { DONE_LINE, scriptedAgent, UNIT_LINE } from '../../../support/scripted-agent.ts'

const READY: BackendInfo = {
  name: 'talk',
  provider: 'custom',
  group: 'gpu',
  state: 'ready',
  requests_in_flight: 1,
  requests_waiting: 0,
  log: [],
}

/** What the agent of "talk" does with a connection; "mute" has none. */
let behave: (socket: Socket) => void
let jobs: string[]
/** What a job does. */
let work: (signal: AbortSignal) => Promise<void>
let daemon: Awaited<ReturnType<typeof startAdminDaemon>>

beforeEach(async () => {
  behave = (socket) => socket.end(UNIT_LINE + DONE_LINE)
  jobs = []
  work = () => Promise.resolve()
  const agent = scriptedAgent((socket) => behave(socket))
  const known = (name: string) => {
    if (!['talk', 'mute'].includes(name)) throw new RangeError(`no ${name}`)
    return name
  }
  const job = (what: string) => (name: string, signal: AbortSignal) => {
    jobs.push(`${what} ${name}`)
    return work(signal)
  }
  const backends: AdminBackends = {
    lookUp: () => Promise.resolve(),
    list: () => [READY, { ...READY, name: 'mute' }],
    status: (name) => ({ ...READY, name: known(name) }),
    agentOf: (name) => (known(name) === 'talk' ? agentClient(agent.path) : null),
    start: job('start'),
    stop: job('stop'),
    restart: job('restart'),
  }
  daemon = await startAdminDaemon(undefined, backends)
})
afterEach(() => daemon.stop())

async function ask(method: string, path: string) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ socketPath: daemon.socketPath, method, path, agent: false }, resolve).once('error', reject).end()
  })
  const body = await text(response).catch(() => 'cut')
  return { status: response.statusCode, type: response.headers['content-type'], body }
}

test.each<{ route: ApiRouteName; path: string }>([
  { route: 'GET /api/admin/backends', path: '/v1/backends' },
  { route: 'GET /api/admin/backends/{name}', path: '/v1/backends/talk' },
  { route: 'GET /api/admin/backends/{name}', path: '/v1/backends/mute' },
  { route: 'POST /api/admin/backends/{name}/start', path: '/v1/backends/start/talk' },
  { route: 'POST /api/admin/backends/{name}/stop', path: '/v1/backends/stop/talk' },
  { route: 'POST /api/admin/backends/{name}/restart', path: '/v1/backends/restart/mute' },
])('answers $route of $path in its shape', async ({ route, path }) => {
  const [method = ''] = route.split(' ')
  const { status, body } = await ask(method, path)
  expect(status, body).toBe(200)
  expect(API_ANSWERS[route].safeParse(JSON.parse(body)).error).toBeUndefined()
})

test('runs the job that was asked for, and writes down that it was', async () => {
  await ask('POST', '/v1/backends/restart/talk')
  expect(jobs).toEqual(['restart talk'])
  expect(daemon.logs.recent(1)).toMatchObject([
    { message: 'admin request', method: 'POST', path: '/v1/backends/restart/talk', status: 200 },
  ])
})

test.each([
  { method: 'GET', path: '/v1/backends/tulk', status: 404, code: 'BACKEND_NOT_FOUND' },
  { method: 'POST', path: '/v1/backends/start/tulk', status: 404, code: 'BACKEND_NOT_FOUND' },
  { method: 'GET', path: '/v1/backends/logs/tulk', status: 404, code: 'BACKEND_NOT_FOUND' },
  { method: 'GET', path: '/v1/backends/logs/%ff', status: 400, code: 'BAD_REQUEST' },
  { method: 'GET', path: '/v1/backends/logs/talk?n=x', status: 400, code: 'BAD_REQUEST' },
  { method: 'GET', path: '/v1/backends/logs/talk?n=999999', status: 400, code: 'BAD_REQUEST' },
  { method: 'GET', path: '/v1/backends/logs/talk?user=root', status: 400, code: 'BAD_REQUEST' },
  { method: 'GET', path: '/v1/backends/logs/mute', status: 409, code: 'NO_AGENT' },
  { method: 'DELETE', path: '/v1/backends/start/talk', status: 405, code: 'METHOD_NOT_ALLOWED' },
])('refuses $method $path', async ({ method, path, status, code }) => {
  const answer = await ask(method, path)
  expect(answer.status, answer.body).toBe(status)
  expect(adminProblem.parse(JSON.parse(answer.body)).code).toBe(code)
})

test('names the backend that was probably meant', async () => {
  expect((await ask('GET', '/v1/backends/tulk')).body).toContain('did you mean \\"talk\\"?')
})

test('a start that fails says why', async () => {
  work = () => Promise.reject(new Error('a.service failed: exit-code, exit status 1'))
  const { status, body } = await ask('POST', '/v1/backends/start/talk')
  expect(status).toBe(502)
  expect(adminProblem.parse(JSON.parse(body))).toMatchObject({
    code: 'BACKEND_FAILED',
    detail: 'talk: start: a.service failed: exit-code, exit status 1',
  })
})

test('a caller who leaves stops the waiting', async () => {
  const given = vi.fn()
  work = (signal) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        given()
        reject(signal.reason)
      })
    })
  const sent = request({ socketPath: daemon.socketPath, method: 'POST', path: '/v1/backends/start/talk', agent: false })
  sent.on('error', () => {})
  sent.end()
  await vi.waitUntil(() => jobs.length === 1, { timeout: 15_000 })
  sent.destroy()
  await vi.waitUntil(() => given.mock.calls.length === 1, { timeout: 15_000 })
})

test('a daemon that stops tells those who wait for a job', async () => {
  work = (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  const waiting = ask('POST', '/v1/backends/start/talk')
  await vi.waitUntil(() => jobs.length === 1, { timeout: 15_000 })
  await daemon.server.close(1_000)
  expect(adminProblem.parse(JSON.parse((await waiting).body))).toMatchObject({ status: 503, code: 'GIVEN_UP' })
})

const entry = (message: string) =>
  `${JSON.stringify({ type: 'log', time: '2026-11-20T12:00:00.000Z', unit: 'a.service', priority: 6, message })}\n`

test('passes the journal on, safe for a terminal', async () => {
  behave = (socket) => socket.end(entry('ready') + entry('\u001b[31mred\u009b') + DONE_LINE)
  const { status, type, body } = await ask('GET', '/v1/backends/logs/talk?n=2')
  expect({ status, type }).toEqual({ status: 200, type: 'application/x-ndjson' })
  expect(
    body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).message),
  ).toEqual(['ready', '\u001b[31mred\u009b'])
  for (const control of ['\u001b', '\u009b']) expect(body).not.toContain(control)
})

test('passes on what happened to a container, and nothing that is not an event', async () => {
  const event = (more: object) => `${JSON.stringify({ type: 'event', time: '2026-11-20T12:00:00.000Z', ...more })}\n`
  behave = (socket) => socket.end(event({ event: 'exited', exit_code: 137 }) + event({ event: 'oom' }) + DONE_LINE)
  const { status, body } = await ask('GET', '/v1/backends/events/talk?n=2')
  expect({ status, body }).toEqual({
    status: 200,
    body:
      '{"time":"2026-11-20T12:00:00.000Z","event":"exited","exit_code":137}\n' +
      '{"time":"2026-11-20T12:00:00.000Z","event":"oom"}\n',
  })
  behave = (socket) => socket.end(entry('ready') + DONE_LINE)
  expect((await ask('GET', '/v1/backends/events/talk')).status).toBe(502)
  expect((await ask('GET', '/v1/backends/events/tulk')).status).toBe(404)
})

test('says why there is no journal', async () => {
  behave = (socket) => socket.end('{"type":"error","code":"FAILED","message":"No journal files"}\n')
  const { status, body } = await ask('GET', '/v1/backends/logs/talk?follow=true')
  expect(status).toBe(502)
  expect(adminProblem.parse(JSON.parse(body))).toMatchObject({ code: 'FAILED', detail: 'No journal files' })
})

test('a journal that breaks off is cut, not ended', async () => {
  behave = (socket) => socket.write(entry('one'), () => setImmediate(() => socket.destroy()))
  expect((await ask('GET', '/v1/backends/logs/talk?follow=true')).body).toBe('cut')
})

test('followers are let go when the daemon stops, and leave the agent', async () => {
  let agentSide: Socket | undefined
  behave = (socket) => {
    agentSide = socket
    socket.write(entry('one'))
  }
  const following = ask('GET', '/v1/backends/logs/talk?follow=true')
  await vi.waitUntil(() => agentSide !== undefined, { timeout: 15_000 })
  await daemon.server.close(1_000)
  await following
  await vi.waitUntil(() => agentSide?.destroyed, { timeout: 15_000 })
})

test('so many may follow that orders still get through', async () => {
  const open: Socket[] = []
  behave = (socket) => {
    open.push(socket)
    socket.write(entry('one'))
  }
  const followers = Array.from({ length: 8 }, () => ask('GET', '/v1/backends/logs/talk?follow=true'))
  await vi.waitUntil(() => open.length === 8, { timeout: 15_000 })
  const ninth = await ask('GET', '/v1/backends/logs/talk?follow=true')
  expect(ninth).toMatchObject({ status: 503, body: expect.stringContaining('TOO_MANY_FOLLOWERS') })
  open.pop()?.destroy()
  await vi.waitUntil(async () => {
    behave = (socket) => socket.end(entry('two') + DONE_LINE)
    return (await ask('GET', '/v1/backends/logs/talk?follow=true')).status === 200
  })
  await daemon.server.close(1_000)
  await Promise.all(followers)
})

test('knows nothing of shells: a gatectl of before is told that the versions differ', async () => {
  const socket = connect(daemon.socketPath)
  const path = '/v1/backends/shell/talk?into=container&rows=24&columns=80'
  socket.write(`GET ${path} HTTP/1.1\r\nhost: admin\r\nconnection: Upgrade, close\r\nupgrade: gate-shell\r\n\r\n`)
  const answer = await text(socket)
  expect(answer).toMatch(/^HTTP\/1.1 404 /)
  expect(adminProblem.parse(JSON.parse(answer.split('\r\n\r\n')[1] ?? ''))).toMatchObject({
    code: 'UNKNOWN_ROUTE',
    hint: expect.stringContaining('different versions'),
  })
})
