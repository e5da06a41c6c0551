import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
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

test('a key that is revoked loses its running stream at once', async () => {
  const stream = await openStream()
  const { tokens } = JSON.parse(await admin('GET', '/v1/tokens')) as { tokens: { id: string }[] }
  await admin('DELETE', `/v1/tokens/${tokens[0]?.id}`)
  expect(await stream.text).toContain('the key was revoked')
  expect(stream.sofar()).not.toContain('[DONE]')
  await until(() => upstream.seen.at(-1)?.aborted === true)
})

test('garbage on a connection whose answer is running cuts it, and puts nothing into the answer', async () => {
  const { hostname, port } = new URL(gate.url)
  const body = JSON.stringify({ model: 'mock', stream: true, messages: [] })
  const socket = connect(Number(port), hostname)
  let received = ''
  socket.on('data', (chunk) => {
    received += chunk.toString()
  })
  socket.on('error', () => {})
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gate.key}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  await until(() => received.includes('first'))
  socket.write('GARBAGE \0\r\n\r\n')
  await closed
  expect(received.match(/HTTP\/1\.1/g)).toHaveLength(1)
})

/** One call of the admin API. @returns the answer's text */
function admin(method: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { socketPath: join(gate.stateDirectory, 'admin.sock'), method, path, agent: false },
      (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString()
        })
        response.on('end', () => resolve(text))
      },
    )
    outgoing.on('error', reject)
    outgoing.end()
  })
}
