import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { Agent } from 'undici'
import { expect, test } from 'vitest'
import { upload } from '../../../../daemon/gateway/objects/upload.ts'
import { forward } from '../../../../daemon/upstream/forward.ts'

const BOUNDS = { mostBytes: 2 ** 20, idleMs: 60_000, longestMs: 60_000 }
const answer = { askForBody: () => {} }
/** What comes of a request, as far as an upload looks at it. */
const coming = () => Object.assign(new PassThrough(), { headers: {}, complete: false })
const asRequest = (request: PassThrough) => request as unknown as IncomingMessage

test('passes on what comes', async () => {
  const request = coming()
  const body = upload({ request: asRequest(request), answer }, BOUNDS)
  request.complete = true
  request.end('abc')
  expect(String(await buffer(body))).toBe('abc')
})

test.each([
  { name: 'that is too large', bounds: BOUNDS, sent: 2 ** 20 + 1, code: 'BODY_TOO_LARGE' },
  { name: 'that stops coming', bounds: { ...BOUNDS, idleMs: 1 }, sent: 1, code: 'REQUEST_TIMEOUT' },
  { name: 'that takes too long', bounds: { ...BOUNDS, longestMs: 1 }, sent: 1, code: 'REQUEST_TIMEOUT' },
])("an upload $name is the client's fault, not that of its upstream: $code", async ({ bounds, sent, code }) => {
  const server = createServer((request) => request.resume())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const dispatcher = new Agent().compose((dispatch) => dispatch)
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const request = coming()
  const body = upload({ request: asRequest(request), answer }, bounds)
  const sink = { started: () => false, start: () => {}, write: () => true, onDrain: () => {}, onGone: () => {} }
  const form = {
    mediaType: 'none/none',
    looksLikeStream: () => false,
    watch: () => expect.fail(),
    failureOf: () => null,
  }
  const end = forward(
    {
      dispatcher: { dispatch: (options, handler) => dispatcher.dispatch({ ...options, origin }, handler) },
      method: 'POST',
      path: '/',
      headers: [],
      body,
      headersTimeoutMs: 60_000,
      idleTimeoutMs: 60_000,
      redactor: null,
      hold: () => {},
    },
    sink,
    form,
    () => 0,
  )
  request.write(Buffer.alloc(sent))
  expect(await end).toMatchObject({ kind: 'unsent', error: { code } })
  await dispatcher.destroy()
  server.closeAllConnections()
  server.close()
})
