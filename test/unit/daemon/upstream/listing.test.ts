import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { readModels } from '../../../../daemon/translate/openai-chat/models.ts'
import type { Provider } from '../../../../schemas/words/providers.ts'
import { chatBody } from '../../../support/chat.ts'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import { completion, sendJson } from '../../../support/fake-upstream.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const LIST = { object: 'list', data: [{ id: 'm' }] }
const list = (value: unknown) => (response: ServerResponse) => sendJson(response, 200, value)

/** A data plane before a server that answers some paths, 404 for all others. @param path what the base URL ends with */
async function behind(
  path: string,
  routes: Record<string, (response: ServerResponse) => void>,
  models?: string[],
  table: 'upstreams' | 'backends' = 'upstreams',
  { ports = [0], provider = 'custom' }: { readonly ports?: readonly number[]; readonly provider?: Provider } = {},
) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    request.resume()
    asked.push(request.url ?? '')
    const answer = routes[request.url ?? '']
    if (answer === undefined) sendJson(response, 404, {})
    else answer(response)
  })
  await listening(server, ports)
  const base_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
  const plane = await startDataPlane({
    [table]: { box: { provider, base_url, ...(models && { models }) } },
  })
  closing.push(
    () => server.closeAllConnections(),
    () => server.close(),
    plane.stop,
  )
  await plane.refresh()
  const ask = async (model: string) => {
    const response = await fetch(`${plane.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: chatBody('hi', { model }),
    })
    return { status: response.status, text: await response.text() }
  }
  const status = plane.status().find(({ name }) => name === 'box')
  return { asked, ask, status, lines: plane.lines, plane }
}

/** @param ports of which the first that is free is taken */
async function listening(server: Server, [port, ...others]: readonly number[]): Promise<void> {
  server.listen(port, '127.0.0.1')
  const isFree = await once(server, 'listening').then(
    () => true,
    () => false,
  )
  if (!isFree) await listening(server, others)
}

const CHAT = { '/v1/chat/completions': list(completion('hi')) }

/** Some that `fetch` refuses: https://fetch.spec.whatwg.org/#port-blocking */
const BLOCKED = [6_697, 6_669, 6_668, 6_667, 6_666, 6_665, 6_566, 10_080, 5_061]

test('one on a port that browsers refuse is asked for its models as it is for answers', async () => {
  const { status, ask } = await behind('/v1', { '/v1/models': list(LIST), ...CHAT }, undefined, 'upstreams', {
    ports: BLOCKED,
  })
  expect(status).toMatchObject({ state: 'ready', models_count: 1 })
  expect((await ask('m')).status).toBe(200)
})

const OWN = { lmstudio: '/api/v0/models', cohere: '/v1/models?page_size=1000' } as const

test.each<{
  provider: keyof typeof OWN
  path: string
  own: unknown
  usual?: unknown
  ids: string[]
}>([
  { provider: 'lmstudio', path: '/v1', own: { data: [{ id: 'a' }, { id: 'b' }] }, usual: LIST, ids: ['a', 'b'] },
  { provider: 'lmstudio', path: '', own: { data: [{ id: 'a' }] }, usual: LIST, ids: ['a'] },
  { provider: 'lmstudio', path: '/v1', own: null, usual: LIST, ids: ['m'] },
  { provider: 'lmstudio', path: '/v1', own: { data: {} }, usual: LIST, ids: ['m'] },
  { provider: 'lmstudio', path: '/v1', own: { data: [null, 'x', { name: 'y' }] }, usual: LIST, ids: [] },
  { provider: 'cohere', path: '/compatibility/v1', own: { models: [{ name: 'command' }] }, ids: ['command'] },
])('the list of $provider below "$path" is $own, or else $usual: $ids', async ({ provider, path, own, usual, ids }) => {
  const routes = {
    ...(own === null ? {} : { [OWN[provider]]: list(own) }),
    ...(usual === undefined ? {} : { '/v1/models': list(usual) }),
  }
  const { plane } = await behind(path, routes, undefined, 'upstreams', { provider })
  const shown = await fetch(`${plane.url}/v1/models`, { headers: { authorization: `Bearer ${KEY}` } })
  const { data }: { data: { id: string; owned_by: string }[] } = JSON.parse(await shown.text())
  expect(data.filter(({ owned_by }) => owned_by === 'box').map(({ id }) => id)).toEqual(ids)
})

test('one that redirects is not followed', async () => {
  const moved = (response: ServerResponse) => void response.writeHead(302, { location: '/v1/other' }).end()
  const { status, asked } = await behind('/v1', { '/v1/models': moved, '/v1/other': list(LIST) })
  expect(status).toMatchObject({ state: 'down', last_error: expect.stringContaining('answered 302') })
  expect(asked).toEqual(['/v1/models'])
})

test.each([
  { name: 'a final slash', path: '/v1/', routes: { '/v1/models': list(LIST) } },
  { name: 'two final slashes', path: '/v1//', routes: { '/v1/models': list(LIST) } },
  { name: 'a bare array', path: '/v1', routes: { '/v1/models': list([{ id: 'm' }]) } },
  { name: 'an array of names', path: '/v1', routes: { '/v1/models': list(['m']) } },
  { name: 'no version', path: '', routes: { '/v1/models': list(LIST) } },
  { name: 'no version and a slash', path: '/', routes: { '/v1/models': list(LIST) } },
  {
    name: 'no version and a page at its place',
    path: '',
    routes: { '/v1/models': list(LIST), '/models': (response: ServerResponse) => void response.end('<!doctype html>') },
  },
])('B7: $name: the model is known, and asked where it is', async ({ path, routes }) => {
  const { ask, status, asked } = await behind(path, { ...routes, ...CHAT })
  expect(status).toMatchObject({ state: 'ready', models_count: 1 })
  expect((await ask('m')).status).toBe(200)
  expect(asked.at(-1)).toBe('/v1/chat/completions')
})

test('B7: a version that was left out is said, once', async () => {
  const { lines, plane } = await behind('', { '/v1/models': list(LIST) })
  await plane.refresh()
  const said = lines.filter(({ message }) => message.includes('base_url'))
  expect(said.map(({ level, fields }) => [level, fields.upstream])).toEqual([['warn', 'box']])
  expect(said[0]?.fields.url).toMatch(/\/v1$/)
})

test('B7: it is found out for models that are configured, too', async () => {
  const { ask } = await behind('', { '/v1/models': list(LIST), ...CHAT }, ['own'])
  expect((await ask('own')).status).toBe(200)
})

test.each(['/v1', '/v2', '/api/v1beta/openai'])('B7: below %s no version is added', async (path) => {
  const { asked } = await behind(path, {})
  expect(asked).toEqual([`${path}/models`])
})

test('B7: an empty Ollama is up, with no models', async () => {
  const { status } = await behind('/v1', { '/v1/models': list({ object: 'list', data: null }) })
  const dialects = { 'openai-chat': 'native' }
  expect(status).toEqual({ name: 'box', provider: 'custom', state: 'ready', models_count: 0, dialects })
})

test.each([
  { name: 'has no list', routes: {} },
  { name: 'has something else there', routes: { '/v1/models': list({ detail: 'hello' }) } },
  { name: 'takes no GET', routes: { '/v1/models': (response: ServerResponse) => sendJson(response, 405, {}) } },
])('B7: one that $name says so, and is asked by its name', async ({ routes }) => {
  const { ask, status } = await behind('/v1', { ...routes, ...CHAT })
  expect(status).toMatchObject({ state: 'unlisted', models_count: 0 })
  expect(status?.last_error).toContain('upstreams.box.models')
  expect((await ask('box/any')).status).toBe(200)
  const unknown = await ask('any')
  expect(unknown.status).toBe(404)
  expect(unknown.text).toContain('ask for \\"box/MODEL\\"')
})

test('B7: one that lists nothing serves what the configuration declares', async () => {
  const { ask, status } = await behind('/v1', CHAT, ['own'])
  expect(status).toMatchObject({ state: 'ready', models_count: 1 })
  expect((await ask('own')).status).toBe(200)
})

test.each([401, 500, 503])('B7: one that answers %i is down, whatever its URL', async (status) => {
  const refuse = (response: ServerResponse) => sendJson(response, status, {})
  const seen = await behind('', { '/models': refuse })
  expect(seen.status).toMatchObject({ state: 'down' })
  expect(seen.asked).toEqual(['/models'])
})

test.each([
  { list: { data: [{ id: 'a' }, { id: '' }, { id: 7 }, null, 'b'] }, ids: ['a', 'b'] },
  { list: [], ids: [] },
  { list: { data: {} }, ids: null },
  { list: { models: [] }, ids: null },
  { list: null, ids: null },
  { list: 'm', ids: null },
])('B7: reads $list as $ids', ({ list: said, ids }) => {
  if (ids === null) expect(() => readModels(said)).toThrow('shape')
  else expect(readModels(said)).toEqual(ids)
})

test.each(['upstreams', 'backends'] as const)('what one of %s lacks is named as it is configured', async (table) => {
  const { status, ask } = await behind(
    '/v1',
    { '/v1/chat/completions': (response) => sendJson(response, 401, { error: { message: 'no' } }) },
    undefined,
    table,
  )
  expect(status?.last_error).toContain(`name its models in ${table}.box.models`)
  expect((await ask('box/m')).text).toContain(`set ${table}.box.api_key`)
})
