import { Agent, request } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
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
let finish: (() => void) | null

beforeEach(async () => {
  finish = null
  upstream = await startFakeUpstream((_, response) => {
    response.writeHead(200, STREAM_HEADERS)
    response.write(frame({ content: 'first' }))
    finish = () => response.end(frame({ content: 'last' }) + frame({}, 'stop') + DONE)
  })
  gate = await startDaemon(upstreamEnv('mock', upstream.url))
})
afterEach(async () => {
  gate.process.kill('SIGKILL')
  gate.remove()
  await upstream.close()
})

/** Opens a stream and returns when its first frame is here. */
async function openStream(): Promise<{ readonly text: Promise<string>; readonly sofar: () => string }> {
  const response = await fetch(`${gate.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gate.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'mock', stream: true, messages: [] }),
  })
  let received = ''
  const text = (async () => {
    for await (const chunk of response.body ?? []) received += Buffer.from(chunk as Uint8Array).toString()
    return received
  })()
  text.catch(() => {})
  await until(() => received.includes('first'))
  return { text, sofar: () => received }
}

const hasExited = () => gate.process.exitCode !== null

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s lets a running stream finish, takes no new connection, and exits 0',
  async (signal) => {
    const stream = await openStream()
    gate.process.kill(signal)
    await until(() =>
      fetch(`${gate.url}/health`).then(
        () => false,
        () => true,
      ),
    )
    expect(hasExited()).toBe(false)
    finish?.()
    expect(await stream.text).toMatch(/last[\s\S]*\[DONE\]/)
    await until(hasExited)
    expect(gate.process.exitCode).toBe(0)
  },
)

test('a request on an open connection is still answered while draining, as its last', async () => {
  const stream = await openStream()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const ask = () =>
    new Promise<string | undefined>((resolve, reject) => {
      const outgoing = request(`${gate.url}/health`, { agent }, (response) => {
        response.resume()
        response.on('end', () => resolve(response.headers.connection))
      })
      outgoing.on('error', reject)
      outgoing.end()
    })
  expect(await ask()).toBe('keep-alive')
  gate.process.kill('SIGTERM')
  await until(() => gate.output().includes('"message":"draining"'))
  expect(await ask()).toBe('close')
  finish?.()
  await stream.text
  await until(hasExited)
  expect(gate.process.exitCode).toBe(0)
  agent.destroy()
})

test('a second signal stops now: the stream ends with an error and the exit code says so', async () => {
  const stream = await openStream()
  gate.process.kill('SIGTERM')
  await new Promise((resolve) => setTimeout(resolve, 600)) // closer together they count as one Ctrl-C
  gate.process.kill('SIGTERM')
  await until(hasExited, 5_000)
  expect(gate.process.exitCode).toBe(1)
  await stream.text.catch(() => '')
  expect(stream.sofar()).toContain('Gate is stopping')
  expect(stream.sofar()).not.toContain('[DONE]')
})

test('the drain has a deadline', async () => {
  await gate.stop()
  gate = await startDaemon({ ...upstreamEnv('mock', upstream.url), GATE_SERVER__DRAIN_TIMEOUT: '1s' })
  const stream = await openStream()
  gate.process.kill('SIGTERM')
  await until(hasExited, 8_000)
  expect(gate.process.exitCode).toBe(1)
  await stream.text.catch(() => '')
  expect(stream.sofar()).toContain('Gate is stopping')
})

test('SIGHUP reloads without losing a stream', async () => {
  const stream = await openStream()
  gate.process.kill('SIGHUP')
  await until(() => gate.output().includes('"message":"reloaded"'))
  finish?.()
  expect(await stream.text).toContain('[DONE]')
  expect((await fetch(`${gate.url}/ready`)).status).toBe(200)
})
