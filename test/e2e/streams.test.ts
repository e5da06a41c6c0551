import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import {
  DONE,
  type FakeUpstream,
  frame,
  STREAM_HEADERS,
  startFakeUpstream,
  upstreamEnv,
} from '../support/fake-upstream.ts'

const STREAMS = 500
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
