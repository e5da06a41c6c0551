import { afterAll, beforeAll, expect, test } from 'vitest'
import { chatBody } from '../../../support/chat.ts'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import { sendRaw } from '../../../support/raw-http.ts'

let plane: Awaited<ReturnType<typeof startDataPlane>>
beforeAll(async () => {
  plane = await startDataPlane({})
})
afterAll(() => plane.stop())

test('B13: a browser gets a page without script, and HEAD none of it', async () => {
  const response = await fetch(plane.url)
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
  const text = await response.text()
  expect(text).toContain('It is ready')
  expect(text).not.toMatch(/<script|https?:/i)
  const head = await fetch(plane.url, { method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
})

const post = (headers: string, body: string) =>
  sendRaw(
    plane.url,
    `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${KEY}\r\n${headers}` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  )

test.each([
  { name: 'B13: JSON without a type', headers: '', body: chatBody('hi'), status: 200 },
  { name: 'B13: no JSON without a type', headers: '', body: 'model=echo', status: 400 },
  {
    name: 'B13: JSON without a type from a page',
    headers: 'Origin: http://evil.example\r\n',
    body: chatBody('hi'),
    status: 415,
  },
  {
    name: 'A6: a type that only begins right',
    headers: 'Content-Type: application/jsonx\r\n',
    body: chatBody('hi'),
    status: 415,
  },
  { name: 'text', headers: 'Content-Type: text/plain\r\n', body: chatBody('hi'), status: 415 },
])('$name: $status', async ({ headers, body, status }) => {
  expect(await post(headers, body)).toContain(`HTTP/1.1 ${status} `)
})

test('C8: the log line of a request says whose it was, what was asked, who answered, and how much', async () => {
  plane.lines.length = 0
  await post('', chatBody('one two three'))
  const line = plane.lines.find(({ message }) => message === 'request')
  expect(line?.fields).toMatchObject({ key: 'auth.token', model: 'echo', upstream: 'echo', status: 200 })
  expect(line?.fields.input_tokens).toBeGreaterThan(0)
  expect(line?.fields.output_tokens).toBeGreaterThan(0)
})

test('C8: one that no upstream saw names none', async () => {
  plane.lines.length = 0
  await post('', '{}')
  const line = plane.lines.find(({ message }) => message === 'request')
  expect(line?.fields).toMatchObject({ key: 'auth.token', status: 400 })
  expect(line?.fields).not.toHaveProperty('upstream')
})
