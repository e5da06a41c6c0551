import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import {
  DONE,
  type FakeUpstream,
  frame,
  STREAM_HEADERS,
  startFakeUpstream,
  upstreamEnv,
} from '../support/fake-upstream.ts'

let upstream: FakeUpstream
let gate: Daemon
let finish: (() => void) | undefined

beforeAll(async () => {
  upstream = await startFakeUpstream((_, response) => {
    response.writeHead(200, STREAM_HEADERS)
    response.write(frame({ content: 'first' }))
    finish = () => response.end(frame({}, 'stop') + DONE)
  })
  gate = await startDaemon({
    ...upstreamEnv('mock', upstream.url),
    GATE_SERVER__MAX_BODY: '1KiB',
    GATE_SERVER__MAX_CONCURRENT: '1',
  })
})
afterAll(async () => {
  await gate?.stop()
  gate?.remove()
  await upstream?.close()
})

function ask(content: string, duplex: object = {}): Promise<Response> {
  return fetch(`${gate.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gate.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'mock', stream: true, messages: [{ role: 'user', content }] }),
    ...duplex,
  })
}

test('a body over server.max_body is refused with 413, declared or chunked, and reaches no upstream', async () => {
  const whole = await ask('x'.repeat(2_000))
  expect(whole.status).toBe(413)
  expect(await whole.json()).toMatchObject({ error: { code: 'body_too_large' } })
  const text = new Blob([JSON.stringify({ model: 'mock', messages: [{ content: 'x'.repeat(2_000) }] })])
  const chunked = await ask('', { body: text.stream(), duplex: 'half' })
  expect(chunked.status).toBe(413)
  await chunked.text()
  expect(upstream.seen).toEqual([])
})

test('one request over server.max_concurrent is refused with 429, and let in when there is room', async () => {
  const first = await ask('hi')
  const second = await ask('hi')
  expect(second.status).toBe(429)
  expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(0)
  await second.text()
  finish?.()
  expect(await first.text()).toContain('[DONE]')
  await until(async () => {
    const third = await ask('hi')
    finish?.()
    await third.text()
    return third.status === 200
  })
})
