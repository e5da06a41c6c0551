import { expect, test } from 'vitest'
import { createEndpointTable, type Row } from '../../../../daemon/gateway/endpoints.ts'
import type { Dialect } from '../../../../daemon/translate/dialect.ts'
import { DIALECTS } from '../../../../daemon/translate/dialects.ts'
import { openAiChat } from '../../../../daemon/translate/openai-chat/dialect.ts'

const page = (method: string, path: string, withHeader?: string): Row => ({
  kind: 'page',
  dialect: openAiChat,
  method,
  path,
  scope: null,
  page: () => {},
  ...(withHeader !== undefined && { withHeader }),
})

const rows = [
  page('GET', '/v1/models'),
  page('GET', '/v1/models', 'x-other'),
  page('GET', '/v1/models/{model}'),
  page('DELETE', '/v1/models/{model}'),
  page('POST', '/v1beta/models/{model}:say'),
  page('POST', '/v1beta/models/{model}:streamSay'),
  page('GET', '/v1/kept/{id}'),
  page('GET', '/v1/kept/{id}/items'),
  page('POST', '/v1/say'),
  page('POST', '/v1beta/say'),
  { kind: 'page', method: 'GET', path: '/ready', scope: null, page: () => {} },
  page('DELETE', '/v1/kept/{id}', 'x-other'),
  page('POST', '/v1/kept', 'x-other'),
] satisfies readonly Row[]
const table = createEndpointTable(rows)

test.each([
  { method: 'GET', path: '/v1/models', headers: {}, row: 0, param: '' },
  { method: 'GET', path: '/v1/models', headers: { 'x-other': '1' }, row: 1, param: '' },
  { method: 'GET', path: '/v1/models/m', headers: {}, row: 2, param: 'm' },
  { method: 'GET', path: '/v1/models/box/m:7b', headers: {}, row: 2, param: 'box/m:7b' },
  { method: 'HEAD', path: '/v1/models', headers: {}, row: 0, param: '' }, // B12
  { method: 'HEAD', path: '/v1/models/m', headers: {}, row: 2, param: 'm' },
  { method: 'DELETE', path: '/v1/models/m', headers: {}, row: 3, param: 'm' },
  { method: 'POST', path: '/v1beta/models/a/b:say', headers: {}, row: 4, param: 'a/b' },
  { method: 'POST', path: '/v1beta/models/m:streamSay', headers: {}, row: 5, param: 'm' },
  { method: 'GET', path: '/v1/kept/7', headers: {}, row: 6, param: '7' },
  { method: 'GET', path: '/v1/kept/7/items', headers: {}, row: 7, param: '7' },
  { method: 'DELETE', path: '/v1/kept/7', headers: {}, row: 11, param: '7' }, // no other row has it
  { method: 'POST', path: '/v1/kept', headers: {}, row: 12, param: '' },
  { method: 'GET', path: '/v1/models/', headers: {}, row: 0, param: '' }, // B13
  { method: 'GET', path: '//v1//models//', headers: {}, row: 0, param: '' },
  { method: 'GET', path: '/v1/v1/models', headers: {}, row: 0, param: '' },
  { method: 'GET', path: '/v1/v1/v1/models/', headers: { 'x-other': '1' }, row: 1, param: '' },
  { method: 'GET', path: '/models', headers: {}, row: 0, param: '' },
  { method: 'GET', path: '/models/', headers: {}, row: 0, param: '' },
  { method: 'GET', path: '//kept/7', headers: {}, row: 6, param: '7' },
  { method: 'POST', path: '/models/a/b:say', headers: {}, row: 4, param: 'a/b' },
])('$method $path leads to row $row', ({ method, path, headers, row, param }) => {
  expect(table.find(method, path, headers)).toEqual({ kind: 'row', row: rows[row], param })
})

test("a row that asks for a part of the query is taken with it alone; paths that dialects share are the first one's", () => {
  const own = createEndpointTable([...DIALECTS.all.flatMap(rowsOf)])
  const nameAndType = (method: string, url: string) => {
    const found = own.find(method, url.split('?')[0] ?? '', {}, url)
    return found.kind === 'row' ? [found.row.dialect?.name, found.row.dialect?.streamType] : found.kind
  }
  const stream = '/v1beta/models/box/m:7b:streamGenerateContent'
  expect(nameAndType('POST', `${stream}?alt=sse`)).toEqual(['google', 'text/event-stream'])
  expect(nameAndType('POST', `${stream}?key=k&alt=sse`)).toEqual(['google', 'text/event-stream'])
  expect(nameAndType('POST', `${stream}?key=alt=sse`)).toEqual(['google', 'application/json'])
  expect(nameAndType('POST', stream)).toEqual(['google', 'application/json'])
  expect(nameAndType('GET', '/v1beta/models')).toEqual(['google', 'text/event-stream'])
  expect(own.find('GET', '/v1/models', { 'x-goog-api-key': 'k' })).toMatchObject({
    row: { dialect: { name: 'google' } },
  })
  expect(nameAndType('GET', '/v1/models')).toEqual(['openai-chat', 'text/event-stream'])
  expect(nameAndType('GET', '/models')).toEqual(['openai-chat', 'text/event-stream'])
})

const rowsOf = (dialect: Dialect): readonly Row[] =>
  dialect.endpoints.map((endpoint) => ({ ...endpoint, kind: 'generate', dialect, endpoint }))

test.each([
  { method: 'GET', path: '/v1/say', code: 'METHOD_NOT_ALLOWED', allow: 'POST, OPTIONS' },
  { method: 'POST', path: '/v1/models', code: 'METHOD_NOT_ALLOWED', allow: 'GET, HEAD, OPTIONS' },
  { method: 'POST', path: '/v1/v1/models/', code: 'METHOD_NOT_ALLOWED', allow: 'GET, HEAD, OPTIONS' },
  { method: 'POST', path: '/v1/models/m', code: 'METHOD_NOT_ALLOWED', allow: 'GET, HEAD, DELETE, OPTIONS' },
  { method: 'POST', path: '/say', code: 'UNKNOWN_ROUTE', says: 'did you mean /v1/say' }, // two versions have it
  { method: 'GET', path: '/ready/', code: 'UNKNOWN_ROUTE', says: 'did you mean /ready' }, // no page of a dialect
  { method: 'GET', path: '//ready', code: 'UNKNOWN_ROUTE', says: 'did you mean /ready' },
  { method: 'GET', path: '/api/v1/models', code: 'UNKNOWN_ROUTE', says: 'did you mean /v1/models' },
  { method: 'GET', path: `/v1/${'v1/'.repeat(5_000)}models`, code: 'UNKNOWN_ROUTE' },
  { method: 'GET', path: '/v1/model', code: 'UNKNOWN_ROUTE', says: 'did you mean /v1/models' },
  { method: 'GET', path: '/', code: 'UNKNOWN_ROUTE', says: '/v1/say' },
  { method: 'GET', path: '/something/else/altogether', code: 'UNKNOWN_ROUTE', says: 'the routes are /v1/models, ' },
])('$method $path is refused with $code', ({ method, path, code, allow, says = '' }) => {
  const found = table.find(method, path, {})
  if (found.kind === 'row') throw new Error('found')
  const refusal = table.refusalOf(found, method, path)
  expect(refusal.code).toBe(code)
  expect(refusal.headers['allow']).toBe(allow)
  expect(refusal.message).toContain(says)
})

test.each([
  { path: '/v1/say', allow: 'POST, OPTIONS' },
  { path: '/v1/models', allow: 'GET, HEAD, OPTIONS' },
  { path: '/ready', allow: 'GET, HEAD, OPTIONS' },
  { path: '*', allow: 'GET, HEAD, DELETE, POST, OPTIONS' },
  { path: '/v1/nothing', allow: null },
])('$path takes $allow', ({ path, allow }) => {
  expect(table.allow(path)).toBe(allow)
})

test('a path of any length is not shown whole', () => {
  const path = `/${'x'.repeat(10_000)}`
  expect(table.refusalOf({ kind: 'unknown' }, 'GET', path).message.length).toBeLessThan(1_000)
})
