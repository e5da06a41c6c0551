import { readFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chatBody } from '../support/chat.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { completion, sendJson, upstreamEnv } from '../support/fake-upstream.ts'

const BODIES = 40
const BODY_BYTES = 25_000_000
/** What the default of server.max_buffered allows. */
const MAX_BUFFERED = 512 * 2 ** 20

// takes every body, keeps none, and answers when all have been taken or refused
const answers: (() => void)[] = []
const upstream = createServer((incoming, response) => {
  incoming.resume()
  incoming.on('end', () => answers.push(() => sendJson(response, 200, completion('ok'))))
})
let gate: Daemon
beforeAll(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  gate = await startDaemon(upstreamEnv('mock', `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`))
})
afterAll(async () => {
  await gate?.stop()
  gate?.remove()
  upstream.closeAllConnections()
  upstream.close()
})

/** Most memory that the daemon ever had resident. */
function peakBytes(): number {
  const status = readFileSync(`/proc/${gate.process.pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 2 ** 10
}

test(`A4: ${BODIES} bodies of 25 MB at once take what server.max_buffered allows, not all they hold`, async () => {
  const before = peakBytes()
  const body = Buffer.from(chatBody('x'.repeat(BODY_BYTES), { model: 'mock' }))
  const headers = {
    authorization: `Bearer ${gate.key}`,
    'content-type': 'application/json',
    'content-length': body.length,
  }
  let taken = 0
  let ended = 0
  const { promise: allThere, resolve } = Promise.withResolvers<void>()
  const look = setInterval(() => {
    taken = answers.length
    if (taken + ended === BODIES) resolve()
  }, 10)
  const statuses = Array.from({ length: BODIES }, async () => {
    const status = await new Promise<number>((settle) => {
      const outgoing = request(
        `${gate.url}/v1/chat/completions`,
        { method: 'POST', agent: false, headers },
        (response) => {
          response.resume()
          response.on('close', () => settle(response.statusCode ?? 0))
        },
      )
      outgoing.on('error', () => settle(0)) // refused while it was still sending
      outgoing.end(body)
    })
    ended += 1
    return status
  })
  await allThere
  clearInterval(look)
  for (const answer of answers) answer()
  const seen = await Promise.all(statuses)
  expect(seen.filter((status) => status === 200)).toHaveLength(taken)
  expect(taken).toBeGreaterThanOrEqual(1)
  expect(taken * 2 * BODY_BYTES).toBeLessThanOrEqual(MAX_BUFFERED) // each is held twice: as it came, and joined
  expect(seen.filter((status) => ![0, 200, 429].includes(status))).toEqual([])
  // what was refused is freed some time after it counts no more; without counting it was 2.5 times, and the more the
  // more came
  expect(peakBytes() - before).toBeLessThan(2.2 * MAX_BUFFERED)
})
