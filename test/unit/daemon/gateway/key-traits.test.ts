// What else there is of a key: one model for whatever is asked, and users that its program names.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startDataPlane } from '../../../support/data-plane.ts'
import { completion, type FakeUpstream, sendJson, startFakeUpstream } from '../../../support/fake-upstream.ts'

let upstream: FakeUpstream
let gate: Awaited<ReturnType<typeof startDataPlane>>
let pinned = ''
let webui = ''
let other = ''
let headers: Record<string, unknown> = {}
let asked: { readonly model?: string } = {}
beforeAll(async () => {
  upstream = await startFakeUpstream((request, response) => {
    headers = request.headers
    asked = JSON.parse(request.body)
    sendJson(response, 200, completion('hi'))
  })
  gate = await startDataPlane({
    upstreams: { local: { provider: 'vllm', base_url: upstream.url, models: ['qwen', 'big'] } },
    models: { coder: { targets: [{ upstream: 'local', model: 'qwen' }] } },
  })
  const allowed = { models: ['coder'], categories: [], pinned: 'coder' }
  pinned = gate.tokens.create('claude', ['chat:write'], null, allowed).token
  webui = gate.tokens.create('webui', ['chat:write'], null, null, true).token
  other = gate.tokens.create('laptop', ['chat:write'], null).token
})
afterAll(async () => {
  await gate.stop()
  await upstream.close()
})

const ask = (key: string, path: string, body: object | null, more: Record<string, string> = {}) =>
  fetch(gate.url + path, {
    method: body === null ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...more },
    ...(body !== null && { body: JSON.stringify(body) }),
  })
const messages = [{ role: 'user', content: 'hello' }]

test.each([
  { path: '/v1/chat/completions', body: { model: 'gpt-5', messages } },
  { path: '/v1/chat/completions', body: { model: 'big', messages, models: ['big', 'local/big'] } },
  { path: '/v1/chat/completions', body: { model: 'qwen', messages } },
  { path: '/v1/messages', body: { model: 'claude-opus-5', max_tokens: 9, messages } },
  { path: '/v1/responses', body: { model: 'gpt-5', input: 'hello' } },
  { path: '/v1beta/models/gemini-3-pro:generateContent', body: { contents: [{ parts: [{ text: 'hello' }] }] } },
  { path: '/api/chat', body: { model: 'llama3', messages, stream: false } },
])('a pinned key has its one model for whatever is asked at $path', async ({ path, body }) => {
  const answer = await ask(pinned, path, body)
  expect([answer.status, asked.model]).toEqual([200, 'qwen'])
  expect(gate.rows.at(-1)).toMatchObject({ model: 'coder', targetModel: 'qwen' })
})

test('its model alone is listed, and shown by any name', async () => {
  const list = (await (await ask(pinned, '/v1/models', null)).json()) as { data: { id: string }[] }
  expect(list.data.map(({ id }) => id)).toEqual(['coder'])
  expect(await (await ask(pinned, '/v1/models/gpt-5', null)).json()).toMatchObject({ id: 'gpt-5', owned_by: 'gate' })
})

test('one that is pinned to what is not there finds nothing', async () => {
  const allowed = { models: ['gone'], categories: [], pinned: 'gone' }
  const { token } = gate.tokens.create('stale', ['chat:write'], null, allowed)
  const answer = await ask(token, '/v1/chat/completions', { model: 'qwen', messages })
  expect([answer.status, await answer.text()]).toEqual([404, expect.stringContaining('no model \\"gone\\"')])
})

const ANN = { 'x-openwebui-user-email': 'ann@example.org', 'x-openwebui-user-id': '7' }

test.each([
  { name: 'by address', key: () => webui, more: ANN, user: 'ann@example.org' },
  { name: 'by id', key: () => webui, more: { 'x-openwebui-user-email': '', 'x-openwebui-user-id': '7' }, user: '7' },
  { name: 'not at all', key: () => webui, more: {}, user: '' },
  {
    name: 'in too many words',
    key: () => webui,
    more: { 'x-openwebui-user-id': 'a'.repeat(300) },
    user: 'a'.repeat(200),
  },
  { name: 'by a key that is not trusted', key: () => other, more: ANN, user: '' },
])('usage is of the user that is named $name', async ({ key, more, user }) => {
  expect((await ask(key(), '/v1/chat/completions', { model: 'coder', messages }, more)).status).toBe(200)
  expect(gate.rows.at(-1)).toMatchObject({ endUser: user, model: 'coder' })
  expect(Object.keys(headers).filter((name) => name.startsWith('x-openwebui'))).toEqual([]) // no upstream is told
})
