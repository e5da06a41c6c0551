import { rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Explanation } from '../../schemas/config/layers.ts'
import { chatBody } from '../support/chat.ts'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import { sampled } from '../support/effort.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const CUTS = sampled(15, 200)

const RUNTIME = `# kept by hand
[server]
max_concurrent = 77   # enough for us

[upstreams.openai]
provider = "openai"
base_url = "http://127.0.0.1:9/v1"
api_key = "sk-runtime-CANARY"
models = ["gpt-5", "gpt-5-mini"]

[models.coder]
targets = [ { upstream = "openai", model = "gpt-5" } ]
strategy = "fallback"

[log]
level = "info"
`

let place: ReturnType<typeof temporaryDirectory>
let gate: Daemon
beforeEach(() => {
  place = temporaryDirectory()
})
afterEach(async () => {
  await gate?.stop()
  place.remove()
})

/** One call of the admin API. */
function admin(
  method: string,
  path: string,
  body?: object,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: join(place.path, 'admin.sock'), method, path, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    outgoing.on('error', reject)
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
const explain = async (key: string) => JSON.parse((await admin('GET', `/v1/config/keys/${key}`)).text) as Explanation

test('a variable wins over a runtime value, and explain shows all four layers', async () => {
  place.write('config.toml', RUNTIME)
  place.write('declared.json', JSON.stringify({ server: { max_concurrent: 55 } }))
  // with its address, else config.toml would decide where a key of the environment goes
  const upstream = { GATE_UPSTREAMS__OPENAI__API_KEY: 'x', GATE_UPSTREAMS__OPENAI__BASE_URL: 'http://127.0.0.1:9/v1' }
  gate = await startDaemon(upstream, place.path)
  expect(await explain('upstreams.openai.api_key')).toMatchObject({
    winner: 'env',
    value: { secret: true },
    layers: [
      { layer: 'env', set: true, source: 'GATE_UPSTREAMS__OPENAI__API_KEY' },
      { layer: 'runtime', set: true },
      { layer: 'declared', set: false },
      { layer: 'defaults', set: false },
    ],
  })
  expect(await explain('server.max_concurrent')).toMatchObject({ winner: 'runtime', value: 77 })
  expect(JSON.stringify([await explain('upstreams.openai.api_key'), await admin('GET', '/v1/config')])).not.toContain(
    'CANARY',
  )
})

test(`a runtime file cut at ${CUTS} places never stops the daemon and never loses the last good values`, async () => {
  place.write('config.toml', RUNTIME)
  gate = await startDaemon({}, place.path)
  const file = place.file('config.toml')
  for (let i = 0; i < CUTS; i += 1) {
    const cut = (i * 7_919) % RUNTIME.length // spread over the whole file, the same ones every time
    writeFileSync(file, RUNTIME.slice(0, cut))
    expect((await admin('POST', '/v1/reload')).status).toBe(200)
    expect(await explain('server.max_concurrent'), `cut at ${cut}`).toMatchObject({ value: 77 })
    expect(await explain('models.coder.strategy'), `cut at ${cut}`).toMatchObject({
      value: 'fallback',
      winner: 'runtime',
    })
  }
  const status = JSON.parse((await admin('GET', '/v1/status')).text) as { problems: unknown[] }
  expect(status.problems).not.toEqual([])

  // and the daemon starts with a torn file as it reloads it
  for (const cut of [0, 1, 40, 200, RUNTIME.length - 3]) {
    await gate.stop()
    writeFileSync(file, RUNTIME.slice(0, cut))
    gate = await startDaemon({}, place.path)
    expect(await explain('server.max_concurrent'), `start, cut at ${cut}`).toMatchObject({ value: 77 })
  }

  // a whole file takes over again
  writeFileSync(file, RUNTIME.replace('77', '88'))
  await admin('POST', '/v1/reload')
  expect(await explain('server.max_concurrent')).toMatchObject({ value: 88 })
})

test('an edit takes effect at once, keeps comments, and changes where requests go', async () => {
  place.write('config.toml', RUNTIME)
  gate = await startDaemon({}, place.path)
  const ask = () =>
    fetch(`${gate.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gate.key}`, 'content-type': 'application/json' },
      body: chatBody('hi', { model: 'coder' }),
    })
  expect((await ask()).status).toBe(502)
  const set = await admin('PUT', '/v1/config/keys/models.coder.targets', {
    value: [{ upstream: 'echo', model: 'echo' }],
  })
  expect(set.status).toBe(200)
  expect((await ask()).status).toBe(200)
  expect(place.read('config.toml')).toContain('max_concurrent = 77   # enough for us')
  expect(place.read('config.toml')).toMatch(/^# kept by hand/)
})

test('twenty edits at once all land, and a refused one changes nothing', async () => {
  gate = await startDaemon({}, place.path)
  const names = Array.from({ length: 20 }, (_, i) => `model-${i}`)
  const answers = await Promise.all(
    names.map((name) =>
      admin('PUT', `/v1/config/keys/models.${name}.targets`, { value: [{ upstream: 'echo', model: 'echo' }] }),
    ),
  )
  expect(answers.map(({ status }) => status)).toEqual(names.map(() => 200))
  const before = place.read('config.toml')
  for (const name of names) expect(before).toContain(name)
  const refused = await admin('PUT', '/v1/config/keys/server.port', { value: 'eighty' })
  expect(refused.status).toBeGreaterThanOrEqual(400)
  expect(place.read('config.toml')).toBe(before)
})

test('A8 a database that is lost while the daemon runs: no more requests, and /ready and the status say why', async () => {
  gate = await startDaemon({}, place.path)
  const ask = async (path: string, body?: string) => {
    const headers = { authorization: `Bearer ${gate.key}`, 'content-type': 'application/json' }
    const response = await fetch(`${gate.url}${path}`, { headers, ...(body !== undefined && { method: 'POST', body }) })
    return { status: response.status, text: await response.text() }
  }
  expect((await ask('/ready')).status).toBe(200)
  rmSync(place.file('gate.db'))
  expect((await ask('/v1/chat/completions', chatBody('hi'))).status).toBe(200) // its row is in the journal
  await until(async () => (await ask('/ready')).status === 503)
  const { reason } = JSON.parse((await ask('/ready')).text)
  expect(reason).toContain('the database is damaged')
  expect(await ask('/v1/chat/completions', chatBody('hi'))).toMatchObject({ status: 507 })
  expect((await ask('/v1/models')).status).toBe(200)
  expect(JSON.parse((await admin('GET', '/v1/status')).text)).toMatchObject({
    state: 'ready',
    not_ready: reason,
    store: { last_error: expect.stringMatching(/moved or deleted.*restore a backup/s) },
  })
})

test('A1 a file that cannot be read closes the gateway, says so, and mending it opens it again', async () => {
  place.write('config.toml', '[server]\nallow_from = "127.0.0.1" # not a list\n')
  gate = await startDaemon({ GATE_AUTH__TOKEN: 'a-token-of-the-environment' }, place.path)
  const get = async (path: string) => {
    const headers = { authorization: 'Bearer a-token-of-the-environment' }
    const response = await fetch(`${gate.url}${path}`, { headers })
    return { status: response.status, text: await response.text() }
  }
  for (const path of ['/v1/models', '/ready', '/', '/metrics', '/no/such/path'])
    expect(await get(path), path).toMatchObject({ status: 503, text: expect.stringContaining('gatectl status') })
  expect(gate.output()).toMatch(/\n {2}It is closed: .*gatectl status/)
  expect(gate.output()).not.toContain('shown this once')
  expect((await get('/health')).status).toBe(200)
  const status = JSON.parse((await admin('GET', '/v1/status')).text)
  expect(status).toMatchObject({
    closed: expect.stringContaining('gatectl status'),
    problems: [{ code: 'WRONG_TYPE', key: 'server.allow_from', where: `${join(place.path, 'config.toml')}:2:1` }],
  })
  const mended = await admin('PUT', '/v1/config/keys/server.allow_from', { text: '127.0.0.1', force: false })
  expect(mended.status).toBe(200)
  expect((await get('/ready')).status).toBe(200)
  expect((await get('/v1/models')).status).toBe(200)
})
