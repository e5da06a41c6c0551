import { request } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import { sampled } from '../support/effort.ts'
import {
  DONE,
  type FakeUpstream,
  frame,
  STREAM_HEADERS,
  startFakeUpstream,
  upstreamEnv,
} from '../support/fake-upstream.ts'

const STREAMS = sampled(200, 500)
const FRAMES = 100

let upstream: FakeUpstream
let gate: Daemon
beforeAll(async () => {
  upstream = await startFakeUpstream((_, response) => {
    response.writeHead(200, STREAM_HEADERS)
    let next = 0
    const timer = setInterval(() => {
      // several frames to a write, cut in the middle of one, as networks do
      const text = Array.from({ length: 5 }, (_, i) => frame({ content: `#${next + i} ` })).join('')
      next += 5
      response.write(text.slice(0, 700))
      response.write(text.slice(700))
      if (next < FRAMES) return
      clearInterval(timer)
      response.end(frame({}, 'stop') + DONE)
    }, 5)
    response.on('close', () => clearInterval(timer))
  })
  gate = await startDaemon(upstreamEnv('mock', upstream.url))
})
afterAll(async () => {
  await gate?.stop()
  gate?.remove()
  await upstream?.close()
})

test(`${STREAMS} streams at once: every frame arrives, in order`, async () => {
  const expected = Array.from({ length: FRAMES }, (_, i) => i)
  const received = await Promise.all(
    Array.from({ length: STREAMS }, () => numbersOfStream(`${gate.url}/v1/chat/completions`, gate.key)),
  )
  expect(received.filter((numbers) => numbers.join() !== expected.join())).toEqual([])
})

test.each([true, false])('a client that does not read its answer is cut off (stream: %s)', async (stream) => {
  const strict = await startDaemon({ GATE_SERVER__STALL_TIMEOUT: '1s' })
  const { hostname, port } = new URL(strict.url)
  const body = JSON.stringify({
    model: 'echo',
    stream,
    messages: [{ role: 'user', content: 'word '.repeat(4_000_000) }],
  })
  const socket = connect(Number(port), hostname)
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${strict.key}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  )
  socket.pause()
  socket.on('error', () => {})
  const inFlight = async () => {
    const response = await fetch(`${strict.url}/metrics`, { headers: { authorization: `Bearer ${strict.key}` } })
    return Number(/^gate_requests_in_flight (\d+)/m.exec(await response.text())?.[1]) - 1
  }
  await until(() => socket.bytesWritten > body.length)
  await until(() => strict.output().includes('"path":"/v1/chat/completions"'), 60_000)
  expect(await inFlight()).toBe(0)
  // reading now finds the end: the connection was closed under the client
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  let received = 0
  socket.on('data', (chunk) => {
    received += chunk.length
  })
  socket.on('close', () => resolve())
  await until(() => strict.output().includes('"message":"request"'))
  await new Promise((pause) => setTimeout(pause, 1_500)) // the last bytes of a whole answer have their own second
  socket.resume()
  await closed
  expect(received).toBeLessThan(body.length)
  await strict.stop()
  strict.remove()
})

function numbersOfStream(url: string, key: string): Promise<readonly number[]> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const outgoing = request(url, { method: 'POST', headers, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1')
      })
      response.on('end', () =>
        resolve(text.endsWith(DONE) ? [...text.matchAll(/#(\d+) /g)].map((m) => Number(m[1])) : []),
      )
      response.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(JSON.stringify({ model: 'mock', stream: true, messages: [] }))
  })
}
