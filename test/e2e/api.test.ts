import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
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

function onSocket(method: string, path: string): Promise<{ status: number; text: string }> {
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
    sent.end()
  })
}
