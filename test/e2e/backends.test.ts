import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import { isLong } from '../support/effort.ts'
import { type Manner, type SleepyBackend, startSleepyBackend } from '../support/sleepy-backend.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

// Each test has a backend or two of its own, and a daemon of its own when it stops one: their order does not matter.
const BACKENDS: Readonly<
  Record<string, { readonly manner?: Partial<Manner>; readonly config?: Record<string, unknown> }>
> = {
  fifty: { manner: { startMs: 1_500 }, config: { timeout: '1s' } }, // the time of a start does not count
  long: { manner: { startMs: 11_000 } },
  unlisted: { config: { models: undefined } },
  narrow: { manner: { startMs: 2_000 }, config: { max_waiting: 2 } },
  limited: { manner: { frames: 10 }, config: { max_concurrent: 2 } },
  deserted: { manner: { frames: 10_000 }, config: { max_concurrent: 2 } },
  taken: { manner: { frames: 100 }, config: { max_concurrent: 1, wait_timeout: '200ms' } },
  stuck: { manner: { startMs: 200 } },
  broken: { manner: { isBroken: true } },
  hanging: { manner: { hangs: true }, config: { start_timeout: '500ms' } },
  left: { manner: { startMs: 100, frames: 20 }, config: { group: 'gpu', idle_stop: undefined } },
  right: { manner: { startMs: 100, frames: 20 }, config: { group: 'gpu', idle_stop: undefined } },
  busy: { manner: { frames: 300 }, config: { group: 'busy', wait_timeout: '300ms' } },
  other: { config: { group: 'busy', wait_timeout: '300ms' } },
  slow: { manner: { startMs: 3_000 } },
  slower: { manner: { startMs: 5_000 } },
  roomy: { manner: { frames: 300 } },
  before: { config: { group: 'restart' } },
  after: { config: { group: 'restart' } },
}
const directory = temporaryDirectory()
const backends = new Map<string, SleepyBackend>()
let gate: Daemon
let long: Promise<string>

function backend(name: string): SleepyBackend {
  const found = backends.get(name)
  if (found === undefined) throw new Error(`no backend ${name}`)
  return found
}

function startGate(stateDirectory: string): Promise<Daemon> {
  const config = Object.entries(BACKENDS).map(([name, { config }]) => {
    const { socket, agent } = backend(name)
    const common = { provider: 'custom', base_url: 'http://localhost/v1', api_key: 'key-of-the-engine', models: [name] }
    return [name, { ...common, socket, agent, idle_stop: '10m', ...config }]
  })
  const models = { either: { targets: [{ upstream: 'broken' }, { upstream: 'echo' }] } }
  const env = { GATE_BACKENDS: JSON.stringify(Object.fromEntries(config)), GATE_MODELS: JSON.stringify(models) }
  return startDaemon(env, stateDirectory)
}

beforeAll(async () => {
  for (const [name, { manner }] of Object.entries(BACKENDS))
    backends.set(name, await startSleepyBackend(directory.file(name), name, manner))
  gate = await startGate(directory.file('state'))
  long = chat('long', { stream: true }).then((response) => response.text())
})
afterAll(async () => {
  await gate?.stop()
  for (const each of backends.values()) await each.close()
  directory.remove()
})

type ChatOptions = { readonly stream?: boolean; readonly signal?: AbortSignal; readonly daemon?: Daemon }

function chat(model: string, { stream = false, signal, daemon = gate }: ChatOptions = {}) {
  return fetch(`${daemon.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${daemon.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'hi' }] }),
    ...(signal && { signal }),
  })
}

async function metric(line: string, { url, key }: Daemon = gate): Promise<number> {
  const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${key}` } })
  const found = (await response.text()).split('\n').find((one) => one.startsWith(`${line} `))
  return found === undefined ? Number.NaN : Number(found.slice(line.length))
}

const waiting = (name: string, daemon: Daemon = gate) =>
  metric(`gate_backend_requests_waiting{upstream="${name}"}`, daemon)

test('fifty first requests start it once, are answered, and say that they waited', async () => {
  const responses = await Promise.all(Array.from({ length: 50 }, () => chat('fifty')))
  expect(responses.map(({ status }) => status)).toEqual(Array(50).fill(200))
  expect(backend('fifty').starts()).toBe(1)
  for (const { headers } of responses) expect(headers.get('x-gate-wait')).toMatch(/^cold-start;ms=\d+$/)
  await until(async () => /"wait":"cold-start","wait_ms":\d{4}/.test(gate.output())) // lines come a moment later
  expect((await chat('fifty')).headers.get('x-gate-wait')).toBeNull()
  expect(await metric('gate_backend_state{upstream="fifty",state="ready"}')).toBe(1)
  expect(await metric('gate_backend_start_seconds_count{upstream="fifty",outcome="started"}')).toBe(1)
})

test('a backend whose models are not known is not woken to be asked; the first request makes them known', async () => {
  await chat('echo')
  expect(backend('unlisted').starts()).toBe(0)
  expect((await chat('unlisted/anything')).status).toBe(200)
  const listed = async () =>
    (await fetch(`${gate.url}/v1/models`, { headers: { authorization: `Bearer ${gate.key}` } })).text()
  await until(async () => (await listed()).includes('"unlisted"'))
})

test('more requests than may wait are refused with a time to come back, and one that leaves frees its place', async () => {
  const leaver = new AbortController()
  const left = chat('narrow', { signal: leaver.signal }).catch(() => null)
  const first = chat('narrow')
  await until(async () => (await waiting('narrow')) === 2)
  const refused = await chat('narrow')
  expect(refused.status).toBe(503)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(await refused.json()).toMatchObject({ error: { code: 'backend_busy' } })
  leaver.abort()
  await left
  await until(async () => (await waiting('narrow')) === 1)
  expect((await chat('narrow')).status).toBe(200)
  expect((await first).status).toBe(200)
  expect(backend('narrow').requests()).toBe(2)
})

test('at most max_concurrent requests at a time', async () => {
  const responses = await Promise.all(Array.from({ length: 8 }, () => chat('limited', { stream: true })))
  for (const response of responses) expect(await response.text()).toContain('[DONE]')
  expect(backend('limited').mostAtOnce()).toBe(2)
})

// No count of what runs at once here: when the gateway hangs up on an engine and sends it the next request, nothing
// says which of the two the engine hears of first.
test('requests that leave in mid-answer give their places to those that wait', async () => {
  const leaver = new AbortController()
  const leave = () => chat('deserted', { stream: true, signal: leaver.signal })
  const left = [await leave(), await leave()] // both places are taken from here on
  const kept = Array.from({ length: 6 }, () => chat('deserted', { stream: true }))
  await until(async () => (await waiting('deserted')) === 6)
  backend('deserted').manner.frames = 3
  leaver.abort()
  for (const response of left) await expect(response.text()).rejects.toThrow()
  for (const response of await Promise.all(kept)) expect(await response.text()).toContain('[DONE]')
  await until(async () => (await metric('gate_backend_requests_in_flight{upstream="deserted"}')) === 0)
})

test.skipIf(!isLong)('a request that finds no free place in time is refused', async () => {
  const first = await chat('taken', { stream: true })
  const second = await chat('taken')
  expect(second.status).toBe(503)
  expect(second.headers.get('retry-after')).not.toBeNull()
  expect(await first.text()).toContain('[DONE]')
})

test('a request that finds the engine gone has it started, and is answered', async () => {
  const { manner, end, starts } = backend('stuck')
  expect((await chat('stuck')).status).toBe(200)
  manner.isStuck = true // no connection wakes it now: only its agent can
  end()
  const response = await chat('stuck')
  expect(response.status).toBe(200)
  expect(response.headers.get('x-gate-wait')).toMatch(/^cold-start/)
  expect(starts()).toBe(2)
})

test('one that does not start is quarantined: others answer for it, and clients see nothing of its log', async () => {
  const { manner, starts } = backend('broken')
  const refused = await chat('broken')
  expect(refused.status).toBe(503)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  const text = await refused.text()
  expect(text).toContain('backend_down')
  expect(text).not.toContain('no such model')
  const before = starts()
  expect((await chat('either')).status).toBe(200)
  expect((await chat('broken')).status).toBe(503)
  expect(starts()).toBe(before) // left alone meanwhile
  await until(() => gate.output().includes('gate-x.service failed: exit-code, exit status 3'))
  manner.isBroken = false
  await until(async () => (await chat('broken')).status === 200)
})

test('an engine that hangs while it starts is given up at start_timeout', async () => {
  expect((await chat('hanging')).status).toBe(503)
  await until(() => gate.output().includes('it did not answer within start_timeout'))
})

test('a group swaps under load: never two at once, no stream is cut, nobody waits for ever', async () => {
  const left = backend('left')
  const right = backend('right')
  let both = 0
  const watch = setInterval(() => {
    if (left.isRunning() && right.isRunning()) both += 1
  }, 5)
  const client = async (model: 'left' | 'right') => {
    for (let i = 0; i < 6; i++) expect(await (await chat(model, { stream: true })).text()).toContain('[DONE]')
  }
  await Promise.all([client('left'), client('left'), client('right'), client('right')])
  clearInterval(watch)
  expect(both).toBe(0)
  expect(left.cut() + right.cut()).toBe(0)
  expect(left.requests() + right.requests()).toBe(24)
  expect(left.starts() + right.starts()).toBeLessThan(12) // not one for each request
})

test.skipIf(!isLong)(
  'a request for another member of a group is refused when the running one does not finish in time',
  async () => {
    const stream = await chat('busy', { stream: true })
    const refused = await chat('other')
    expect(refused.status).toBe(503)
    expect(refused.headers.get('retry-after')).not.toBeNull()
    expect(await stream.text()).toContain('[DONE]')
    expect(backend('other').starts()).toBe(0)
    await until(async () => (await chat('other')).status === 200)
    expect(backend('busy').isRunning()).toBe(false)
  },
)

test('a stream that waits for a start is kept alive with comments', async () => {
  const text = await long
  expect(text).toMatch(/^: ping\n\n/)
  expect(text).toContain('[DONE]')
})

test.skipIf(!isLong)('a limit changes without a restart, for requests that wait already', async () => {
  const reloads = () => gate.output().split('"message":"reloaded"').length
  const limit = async (most: number) => {
    const before = reloads()
    writeFileSync(directory.file('state/config.toml'), `[backends.roomy]\nmax_concurrent = ${most}\n`, { mode: 0o600 })
    gate.process.kill('SIGHUP')
    await until(() => reloads() > before)
  }
  await limit(1)
  const first = await chat('roomy', { stream: true })
  const second = chat('roomy', { stream: true })
  await until(async () => (await waiting('roomy')) === 1)
  await limit(2)
  expect((await second).status).toBe(200)
  expect(await metric('gate_backend_requests_in_flight{upstream="roomy"}')).toBe(2)
  for (const response of [first, await second]) expect(await response.text()).toContain('[DONE]')
})

test.skipIf(!isLong)('a daemon that starts again makes room although it did not start what runs', async () => {
  const first = await startGate(directory.file('state-before'))
  expect((await chat('before', { daemon: first })).status).toBe(200)
  await first.kill()
  const second = await startGate(directory.file('state-after'))
  try {
    expect((await chat('after', { daemon: second })).status).toBe(200)
    expect(backend('before').isRunning()).toBe(false)
    expect(backend('after').isRunning()).toBe(true)
  } finally {
    await second.stop()
  }
})

test('a daemon that stops lets a request that waits for a start finish', async () => {
  const daemon = await startGate(directory.file('state-stopped'))
  const response = chat('slow', { daemon })
  await until(async () => (await waiting('slow', daemon)) === 1)
  const stopped = daemon.stop()
  expect((await response).status).toBe(200)
  expect(await stopped).toBe(0)
})

test('one that is stopped at once tells those who wait', async () => {
  const daemon = await startGate(directory.file('state-stopped-at-once'))
  const response = chat('slower', { daemon })
  await until(async () => (await waiting('slower', daemon)) === 1)
  const stopped = daemon.stop()
  // one that follows the first too closely is taken for the same
  await until(() => daemon.process.kill('SIGTERM') && daemon.output().includes('cut off'))
  expect((await response).status).toBe(503)
  expect(await stopped).toBe(1)
})
