import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { json, page, type Reply, redirect, stream } from '../../../../daemon/admin/reply.ts'
import { apiRoute, nameOf } from '../../../../daemon/admin/route.ts'
import { sendReply } from '../../../../daemon/admin/send-reply.ts'

const route = apiRoute({
  method: 'POST',
  path: '/api/admin/things',
  scope: 'admin',
  summary: 'Makes a thing',
  status: 201,
  answer: 'page',
  handle: () => page(''),
})

async function* twoLines() {
  yield 'one\n'
  yield 'two\n'
}
async function* broken() {
  yield 'one\n'
  throw new Error('the source broke')
}

test.each<{ title: string; reply: Reply; status: number; headers: object; text: string }>([
  {
    title: 'JSON',
    reply: json({ a: 1 }),
    status: 201,
    headers: { 'content-type': 'application/json' },
    text: '{"a":1}\n',
  },
  { title: 'JSON with a status', reply: json({}, { status: 202 }), status: 202, headers: {}, text: '{}\n' },
  {
    title: 'two cookies',
    reply: json(null, { headers: { 'set-cookie': ['a=1', 'b=2'] } }),
    status: 201,
    headers: { 'set-cookie': 'a=1, b=2' },
    text: 'null\n',
  },
  {
    title: 'a page',
    reply: page('<p>'),
    status: 200,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    text: '<p>',
  },
  { title: 'a redirect', reply: redirect('/login'), status: 303, headers: { location: '/login' }, text: '' },
  {
    title: 'a stream',
    reply: stream('application/x-ndjson', twoLines()),
    status: 200,
    headers: { 'content-type': 'application/x-ndjson' },
    text: 'one\ntwo\n',
  },
])('$title is sent over the socket', async ({ reply, status, headers, text }) => {
  const answer = await sent(reply)
  expect(answer.status).toBe(status)
  for (const [name, value] of Object.entries(headers)) expect(answer.headers.get(name)).toBe(value)
  expect(await answer.text()).toBe(text)
})

test('a stream that breaks is cut off, not ended', async () => {
  const answer = await sent(stream('application/x-ndjson', broken()))
  await expect(answer.text()).rejects.toThrow()
})

test('a route is called by its method and path', () => {
  expect(nameOf(route)).toBe('POST /api/admin/things')
})

async function sent(reply: Reply): Promise<Response> {
  const server = createServer((_, response) => void sendReply(response, route, reply))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  try {
    return await fetch(`http://127.0.0.1:${port}/`, { redirect: 'manual' })
  } finally {
    server.close()
  }
}
