import { expect, test } from 'vitest'
import { z } from 'zod'
import { type Call, dispatch } from '../../../../daemon/admin/dispatch.ts'
import { json } from '../../../../daemon/admin/reply.ts'
import { apiRoute } from '../../../../daemon/admin/route.ts'
import { SOCKET_PRINCIPAL } from '../../../../daemon/admin/socket-principal.ts'
import { createApiTable } from '../../../../daemon/admin/table.ts'
import type { AuditEntry } from '../../../../daemon/audit/entry.ts'

const answer = z.strictObject({ said: z.unknown() })
const say = apiRoute({
  method: 'POST',
  path: '/api/admin/rooms/{room}/words/{word}',
  scope: 'admin',
  summary: 'Says what it was told',
  audit: 'word.say',
  takes: 'json or form',
  query: z.strictObject({ loud: z.enum(['yes', 'no']).default('no') }),
  body: z.strictObject({ text: z.string() }),
  answer,
  handle: ({ params, query, body }) =>
    json(
      { said: [params['room'], params['word'], query.loud, body.text] },
      { change: { object: 'word:c', new: body } },
    ),
})
const plain = apiRoute({
  method: 'GET',
  path: '/api/admin/rooms/list',
  scope: 'admin',
  summary: 'Says nothing',
  answer,
  handle: () => json({ said: null }),
})
const room = apiRoute({
  method: 'GET',
  path: '/api/admin/rooms/{room}',
  scope: 'admin',
  summary: 'Says nothing',
  answer,
  handle: () => json({ said: null }),
})

const auditInto = (noted: AuditEntry[]) => ({
  require: () => {},
  record: (entry: AuditEntry) => void noted.push(entry),
})

const call = (given: Partial<Call>): Call => ({
  principal: SOCKET_PRINCIPAL,
  path: '/api/admin/rooms/a%20b/words/c',
  search: '',
  body: Buffer.from('{"text":"hello"}'),
  headers: { 'content-type': 'application/json' },
  caller: { address: null, via: 'socket', name: 'test', secured: true },
  signal: new AbortController().signal,
  ...given,
})

test('a handler is given what its shapes make of path, query and body, and its change is noted', async () => {
  const noted: AuditEntry[] = []
  const reply = await dispatch(say, call({ search: '?loud=yes&key=secret' }), auditInto(noted))
  expect(reply).toMatchObject({ kind: 'json', value: { said: ['a b', 'c', 'yes', 'hello'] } })
  expect(noted).toMatchObject([{ action: 'word.say', object: 'word:c', outcome: 'done', new: { text: 'hello' } }])
})

const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
test('a form is read where one is taken', async () => {
  const reply = await dispatch(say, call({ headers: form, body: Buffer.from('text=a+b%21') }), auditInto([]))
  expect(reply).toMatchObject({ value: { said: ['a b', 'c', 'no', 'a b!'] } })
})

const deep = (levels: number) => Buffer.from(`{"text":${'['.repeat(levels)}${']'.repeat(levels)}}`)
test.each([
  {
    title: 'an unknown member',
    given: { body: Buffer.from('{"text":"x","role":"admin"}') },
    message: 'unknown key role',
  },
  { title: 'no body', given: { body: Buffer.alloc(0) }, message: /body: / },
  { title: 'a body that is not JSON', given: { body: Buffer.from('{') }, message: 'the body is not valid JSON' },
  { title: 'a body that is too deep', given: { body: deep(64) }, message: /64 levels/ },
  { title: 'an unknown query', given: { search: '?lod=yes' }, message: 'unknown key lod' },
  {
    title: 'a member of a form twice',
    given: { headers: form, body: Buffer.from('text=a&text=b') },
    message: 'body: text appears twice',
  },
  { title: 'a query twice', given: { search: '?loud=yes&loud=no' }, message: 'query: loud appears twice' },
])('$title is refused, and the refusal noted', async ({ given, message }) => {
  const noted: AuditEntry[] = []
  await expect(dispatch(say, call(given), auditInto(noted))).rejects.toThrow(message)
  expect(noted.map(({ reason }) => reason)).toEqual([expect.stringMatching(/BAD_REQUEST|INVALID_JSON/)])
})

test('a path that is not percent-encoding is refused', async () => {
  await expect(dispatch(say, call({ path: '/api/admin/rooms/%E0/words/c' }), auditInto([]))).rejects.toThrow('encoding')
})

test('brackets within texts are not levels', async () => {
  const text = `${'['.repeat(100)}\\"${'{'.repeat(100)}`
  await expect(
    dispatch(say, call({ body: Buffer.from(JSON.stringify({ text })) }), auditInto([])),
  ).resolves.toBeDefined()
})

test('a body that no one asked for is refused, an empty object is not one', async () => {
  await expect(dispatch(plain, call({ path: plain.path }), auditInto([]))).rejects.toThrow('takes no body')
  await expect(
    dispatch(plain, call({ path: plain.path, body: Buffer.from('{}') }), auditInto([])),
  ).resolves.toBeDefined()
})

const table = createApiTable([room, plain, say])
test.each([
  { method: 'GET', path: '/api/admin/rooms/list', found: plain },
  { method: 'GET', path: '/api/admin/rooms/list%2Fx', found: room },
  { method: 'POST', path: '/api/admin/rooms/a/words/b', found: say },
])('$method $path finds its route', ({ method, path, found }) => {
  expect(table.find(method, path)).toBe(found)
})

test.each([
  { method: 'DELETE', path: '/api/admin/rooms/list', code: 'METHOD_NOT_ALLOWED' },
  { method: 'GET', path: '/api/admin/rooms/', code: 'UNKNOWN_ROUTE' },
  { method: 'GET', path: '/api/admin/rooms/a/b', code: 'UNKNOWN_ROUTE' },
])('$method $path finds none: $code', ({ method, path, code }) => {
  expect(() => table.find(method, path)).toThrow(expect.objectContaining({ code }))
})
