import { afterAll, beforeAll, expect, test } from 'vitest'
import { chatBody } from '../support/chat.ts'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import { completion, type FakeUpstream, sendJson, startFakeUpstream } from '../support/fake-upstream.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

// An upstream that listens on a Unix socket only, as the containers of backends do.
const directory = temporaryDirectory()
const socket = directory.file('engine.sock')
let upstream: FakeUpstream
let gate: Daemon

beforeAll(async () => {
  upstream = await startFakeUpstream((_, response) => sendJson(response, 200, completion('by socket')), ['own'], socket)
  const common = { provider: 'custom', base_url: 'http://localhost/v1' }
  gate = await startDaemon({
    GATE_DISCOVERY__ENABLED: 'false',
    GATE_UPSTREAMS: JSON.stringify({
      local: { ...common, socket, api_key: 'key-of-local' },
      gone: { ...common, socket: directory.file('nobody.sock'), models: ['lost'] },
    }),
  })
})
afterAll(async () => {
  await gate?.stop()
  gate?.remove()
  await upstream?.close()
  directory.remove()
})

const headers = () => ({ authorization: `Bearer ${gate.key}`, 'content-type': 'application/json' })
const chat = (model: string) =>
  fetch(`${gate.url}/v1/chat/completions`, {
    method: 'POST',
    headers: headers(),
    body: chatBody('hi', { model }),
  })

test('it is asked for its models and answers requests', async () => {
  const listed = async () => (await fetch(`${gate.url}/v1/models`, { headers: headers() })).text()
  await until(async () => (await listed()).includes('"own"'), 10_000)
  const response = await chat('own')
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject({ choices: [{ message: { content: 'by socket' } }] })
  expect(upstream.seen.at(-1)?.headers).toMatchObject({ authorization: 'Bearer key-of-local', host: 'localhost' })
})

test('a socket that nobody listens on is an upstream that fails', async () => {
  const response = await chat('lost')
  expect(response.status).toBe(502)
  expect(await response.json()).toMatchObject({ error: { code: 'upstream_failed' } })
})
