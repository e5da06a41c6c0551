import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chatBody } from '../support/chat.ts'
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
    body: chatBody(content, { model: 'mock', stream: true }),
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

/** Makes a key as gatectl does. */
function createKey(expires_in: string): Promise<string> {
  const socketPath = join(gate.stateDirectory, 'admin.sock')
  const headers = { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path: '/v1/tokens', method: 'POST', headers, agent: false }, (response) => {
      json(response).then((made) => resolve((made as { token: string }).token), reject)
    })
    outgoing.on('error', reject)
    outgoing.end(JSON.stringify({ name: 'guest', scopes: ['chat:write'], expires_in }))
  })
}

test('B14: a stream ends when its key expires', async () => {
  // a machine that is too busy to begin the stream in time gets more time
  for (const expiresIn of ['2s', '10s', '60s']) {
    const headers = { authorization: `Bearer ${await createKey(expiresIn)}`, 'content-type': 'application/json' }
    const stream = await ask('hi', { headers })
    if (stream.status !== 200) continue
    expect(await stream.text()).toMatch(/first.*the key has expired/s)
    return
  }
  throw new Error('no stream began before its key expired')
}, 90_000)

describe('server.max_buffered', () => {
  let small: Daemon
  beforeAll(async () => {
    small = await startDaemon({
      ...upstreamEnv('mock', upstream.url),
      GATE_SERVER__MAX_BODY: '4KiB',
      GATE_SERVER__MAX_BUFFERED: '5KiB',
    })
  })
  afterAll(async () => {
    await small?.stop()
    small?.remove()
  })

  /** Sends the head and most of a body, and leaves the rest open. */
  async function upload(bytes: number): Promise<Socket> {
    const { hostname, port } = new URL(small.url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${small.key}\r\nContent-Type: application/json\r\nContent-Length: 4096\r\n\r\n`
    await new Promise<void>((resolve) => socket.write(head + 'x'.repeat(bytes), () => resolve()))
    return socket
  }
  const held = async () => {
    const metrics = await fetch(`${small.url}/metrics`, { headers: { authorization: `Bearer ${small.key}` } })
    return Number(/^gate_request_bytes_held (\d+)$/m.exec(await metrics.text())?.[1])
  }
  const send = (content: string) =>
    fetch(`${small.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${small.key}`, 'content-type': 'application/json' },
      body: chatBody(content, { model: 'mock', stream: true }),
    })

  test('bodies that do not fit together are refused with 429; what left makes room', async () => {
    const seenBefore = upstream.seen.length
    const uploads = [await upload(2_000), await upload(2_000)]
    await until(async () => (await held()) === 4_000)
    const refused = await send('x'.repeat(2_000))
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused.json()).toMatchObject({ error: { message: expect.stringContaining('server.max_buffered') } })
    expect(await held()).toBe(4_000) // what was refused holds nothing
    const fits = send('hi')
    await until(async () => upstream.seen.length > seenBefore)
    finish?.()
    expect((await fits).status).toBe(200)
    for (const socket of uploads) socket.destroy()
    await until(async () => (await held()) === 0)
    const third = send('x'.repeat(2_000))
    await until(async () => upstream.seen.length > seenBefore + 1)
    finish?.()
    expect((await third).status).toBe(200)
  })
})
