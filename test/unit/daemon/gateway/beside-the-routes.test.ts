// What is answered where there is no route, or nothing to ask a model: in the dialect of who asks.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import { problemsOf, type Shape } from '../../../wire/schemas.ts'

let gate: Awaited<ReturnType<typeof startDataPlane>>
beforeAll(async () => {
  gate = await startDataPlane({ upstreams: { echo: { provider: 'echo' } } })
})
afterAll(() => gate.stop())

const ask = (method: string, path: string, headers: Record<string, string> = {}, body?: object) =>
  fetch(gate.url + path, {
    method,
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })

const VERSION = { 'anthropic-version': '2023-06-01' }
const GOOGLE = { 'x-goog-api-key': KEY }
const OLLAMA = 'which models there are is set on the host'

test.each<{
  method: string
  path: string
  headers?: Record<string, string>
  status: number
  shape: Shape | null
  says?: string
}>([
  { method: 'POST', path: '/v1/threads', status: 404, shape: null },
  { method: 'GET', path: '/v1/chat/completions', status: 405, shape: null },
  { method: 'GET', path: '/elsewhere', status: 404, shape: null },
  { method: 'PATCH', path: '/v1/models', status: 405, shape: null },
  { method: 'POST', path: '/v1/skills', headers: VERSION, status: 404, shape: 'anthropic:ErrorResponse' },
  { method: 'DELETE', path: '/v1/models', headers: VERSION, status: 405, shape: 'anthropic:ErrorResponse' },
  { method: 'GET', path: '/v1/messages', status: 405, shape: 'anthropic:ErrorResponse' },
  { method: 'GET', path: '/v1beta/tunedModels', status: 404, shape: 'google:ErrorResponse' },
  { method: 'GET', path: '/v1beta/files/a', status: 404, shape: 'google:ErrorResponse', says: 'nothing of the id' },
  {
    method: 'POST',
    path: '/upload/v1beta/files',
    headers: GOOGLE,
    status: 400,
    shape: 'google:ErrorResponse',
    says: 'no upstream keeps things for clients of google',
  },
  { method: 'POST', path: '/api/pull', status: 404, shape: 'ollama:ErrorResponse', says: OLLAMA },
  { method: 'POST', path: '/api/push', status: 404, shape: 'ollama:ErrorResponse', says: OLLAMA },
  { method: 'POST', path: '/api/create', status: 404, shape: 'ollama:ErrorResponse', says: OLLAMA },
  { method: 'POST', path: '/api/copy', status: 404, shape: 'ollama:ErrorResponse', says: OLLAMA },
  { method: 'DELETE', path: '/api/delete', status: 404, shape: 'ollama:ErrorResponse', says: OLLAMA },
  { method: 'POST', path: '/api/blobs/sha256:00', status: 404, shape: 'ollama:ErrorResponse', says: OLLAMA },
  { method: 'GET', path: '/api/deleted', status: 404, shape: 'ollama:ErrorResponse', says: 'did you mean' },
  { method: 'GET', path: '/api/chat', status: 405, shape: 'ollama:ErrorResponse' },
])('$method $path: $status of $shape', async ({ method, path, headers, status, shape, says = '' }) => {
  const answer = await ask(method, path, headers)
  expect(answer.status).toBe(status)
  const body = (await answer.json()) as object
  if (shape === null) expect(body).toMatchObject({ error: { type: 'invalid_request_error', param: null } })
  else expect(problemsOf(shape, body)).toEqual([])
  expect(JSON.stringify(body)).toContain(says)
})

test('Claude Code is told that somebody is there, without a key', async () => {
  expect((await fetch(`${gate.url}/api/hello`, { method: 'HEAD' })).status).toBe(200)
})

test.each([
  { path: '/api/generate', asked: {}, reason: 'load', said: { response: '' } },
  { path: '/api/generate', asked: { prompt: '' }, reason: 'load', said: { response: '' } },
  { path: '/api/generate', asked: { prompt: null, keep_alive: '10m' }, reason: 'load', said: { response: '' } },
  { path: '/api/generate', asked: { keep_alive: 0 }, reason: 'unload', said: { response: '' } },
  { path: '/api/generate', asked: { keep_alive: '0s', stream: false }, reason: 'unload', said: { response: '' } },
  { path: '/api/chat', asked: { messages: [] }, reason: 'load', said: { message: { role: 'assistant', content: '' } } },
  {
    path: '/api/chat',
    asked: { keep_alive: '0' },
    reason: 'unload',
    said: { message: { role: 'assistant', content: '' } },
  },
])('$path of $asked: $reason', async ({ path, asked, reason, said }) => {
  const before = gate.rows.length
  const answer = await ask('POST', path, {}, { model: 'echo', ...asked })
  expect(answer.status).toBe(200)
  expect(await answer.json()).toEqual({
    model: 'echo',
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    ...said,
    done: true,
    done_reason: reason,
  })
  expect(gate.rows).toHaveLength(before) // nothing was asked of any upstream
})

test('a model that is not there is not loaded', async () => {
  expect((await ask('POST', '/api/generate', {}, { model: 'nothing' })).status).toBe(404)
})

test.each([
  { path: '/api/chat', asked: { messages: 'hi' } },
  { path: '/api/generate', asked: { prompt: ['hi'] } },
])('$path of $asked is refused', async ({ path, asked }) => {
  expect((await ask('POST', path, {}, { model: 'echo', ...asked })).status).toBe(400)
})
