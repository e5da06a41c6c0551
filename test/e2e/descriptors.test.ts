import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chatBody } from '../support/chat.ts'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import { type FakeUpstream, frame, STREAM_HEADERS, startFakeUpstream, upstreamEnv } from '../support/fake-upstream.ts'

const DESCRIPTORS = 64

let upstream: FakeUpstream
let gate: Daemon
beforeAll(async () => {
  upstream = await startFakeUpstream((_, response) => {
    response.writeHead(200, STREAM_HEADERS)
    response.write(frame({ content: 'first' }))
  })
  gate = await startDaemon(upstreamEnv('mock', upstream.url), undefined, DESCRIPTORS)
})
afterAll(async () => {
  await gate?.kill()
  gate?.remove()
  await upstream?.close()
})

/** What `gatectl status` asks. */
function status(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socketPath = join(gate.stateDirectory, 'admin.sock')
    const outgoing = request({ socketPath, path: '/v1/status', agent: false }, (response) => resolve(text(response)))
    outgoing.on('error', reject)
    outgoing.end()
  })
}

test(`B12: with ${DESCRIPTORS} descriptors clients fill what is theirs, and gatectl and upstreams have the rest`, async () => {
  expect(gate.output()).toContain('raise the limit of open files')
  const { hostname, port } = new URL(gate.url)
  const body = chatBody('hi', { model: 'mock', stream: true })
  const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gate.key}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
  let closed = 0
  const said: string[] = []
  const sockets = Array.from({ length: 2 * DESCRIPTORS }, (_, i) => {
    const socket = connect(Number(port), hostname, () => socket.write(head + body))
    socket.on('error', () => {})
    socket.on('close', () => {
      closed += 1
    })
    socket.on('data', (chunk) => {
      said[i] = (said[i] ?? '') + chunk.toString()
    })
    return socket
  })
  const streams = () => Object.values(said).filter((all) => all.includes('first'))
  await until(() => streams().length + closed === sockets.length)
  expect(streams().length).toBeGreaterThanOrEqual(5)
  expect(Object.values(said).filter((all) => !all.startsWith('HTTP/1.1 200'))).toEqual([])
  expect(JSON.parse(await status())).toMatchObject({ state: 'ready', requests_in_flight: streams().length })
  expect(gate.output()).not.toContain('attempt failed')
  for (const socket of sockets) socket.destroy()
  await until(async () => JSON.parse(await status()).requests_in_flight === 0)
})
