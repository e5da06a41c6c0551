// Clients that speak over a WebSocket where they can (Codex, Realtime) are told on every route that they can not, in
// the words of their dialect: then they send the same as a POST.
import { request } from 'node:http'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DIALECTS } from '../../../../daemon/translate/dialects.ts'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import { problemsOf, type Shape } from '../../../wire/schemas.ts'

let gate: Awaited<ReturnType<typeof startDataPlane>>
beforeAll(async () => {
  gate = await startDataPlane({ upstreams: { echo: { provider: 'echo' } } })
})
afterAll(() => gate.stop())

type Answer = { readonly status: number | undefined; readonly body: unknown }

/** As RFC 6455 section 4.1 has it. */
function upgrade(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  const handshake = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    authorization: `Bearer ${KEY}`,
  }
  return new Promise((resolve, reject) => {
    request(gate.url + path, { headers: { ...handshake, ...headers } })
      .on('upgrade', (_, socket) => {
        socket.destroy()
        reject(new Error(`${path} was upgraded`))
      })
      .on('response', (response) => {
        json(response).then((body) => resolve({ status: response.statusCode, body }), reject)
      })
      .on('error', reject)
      .end()
  })
}

const SHAPES: Readonly<Record<string, Shape>> = {
  anthropic: 'anthropic:ErrorResponse',
  google: 'google:ErrorResponse',
  ollama: 'ollama:ErrorResponse',
}
const OPENAI = { error: { type: 'invalid_request_error', code: 'upgrade_required' } }

const ROUTES = DIALECTS.all.flatMap(({ name, endpoints }) =>
  endpoints.map(({ method, path, withHeader }) => ({ name, method, path, withHeader })),
)

test('there are routes of all dialects', () => {
  expect(new Set(ROUTES.map(({ name }) => name)).size).toBe(5)
  expect(ROUTES.length).toBeGreaterThan(60)
})

test.each(ROUTES)('$name: a WebSocket at $method $path is refused as such', async ({ name, path, withHeader }) => {
  const headers = withHeader === undefined ? {} : { [withHeader]: withHeader === 'x-goog-api-key' ? KEY : '2023-06-01' }
  const { status, body } = await upgrade(path.replace(/\{\w+\}/, 'echo'), headers)
  expect(status).toBe(426)
  const shape = SHAPES[name]
  if (shape === undefined) expect(body).toMatchObject(OPENAI)
  else expect(problemsOf(shape, body)).toEqual([])
})

test.each([
  { says: 'Codex', path: '/v1/responses', headers: { 'openai-beta': 'responses_websockets=2026-02-06' } },
  { says: 'Realtime', path: '/v1/realtime?model=echo', headers: { 'sec-websocket-protocol': 'realtime' } },
  { says: 'a chat of the console', path: '/ws', headers: {} },
  { says: 'the header in capitals', path: '/v1/responses', headers: { upgrade: 'WebSocket' } },
  { says: 'a path that is not there', path: '/elsewhere', headers: {} },
])('$says at $path may come again as a POST', async ({ path, headers }) => {
  const { status, body } = await upgrade(path, headers)
  expect(status).toBe(426)
  expect(JSON.stringify(body)).toContain('takes no WebSocket; send the request as a POST')
})

test('Live of Google', async () => {
  const path = '/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent'
  expect((await upgrade(path, { 'x-goog-api-key': KEY })).status).toBe(426)
})
