import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { COMPILE_CACHE, until } from '../support/daemon.ts'
import { KEY } from '../support/data-plane.ts'
import { sampled } from '../support/effort.ts'
import { HOSTILE } from '../support/hostile-bodies.ts'

const BODIES = sampled(2_000, 20_000)
const AT_ONCE = 4
const LONGEST_STALL_MS = 100

let child: ChildProcess
let url: string
beforeAll(async () => {
  child = fork(join(import.meta.dirname, '../support/hostile-child.ts'), {
    execArgv: ['--expose-gc'],
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
  })
  const [hello] = (await once(child, 'message')) as [{ url: string }]
  url = hello.url
})
afterAll(() => child.disconnect())

/** What happened in the data plane since this was asked last. */
async function measure(): Promise<{ longestStallMs: number; rssBytes: number }> {
  child.send('measure')
  const [seen] = (await once(child, 'message')) as [{ longestStallMs: number; rssBytes: number }]
  return seen
}

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })

/** @returns the status; 0 when the connection was closed before one came */
function send(body: Buffer): Promise<number> {
  return new Promise((resolve) => {
    const headers = {
      authorization: `Bearer ${KEY}`,
      'content-type': 'application/json',
      'content-length': body.length,
    }
    const outgoing = request(`${url}/v1/chat/completions`, { method: 'POST', agent, headers }, (response) => {
      response.resume()
      response.on('close', () => resolve(response.statusCode ?? 0))
    })
    outgoing.on('error', () => resolve(0))
    outgoing.end(body)
  })
}

const kinds = Object.entries(HOSTILE)
const SIZES = [2_000, 60_000, 1_000_000, 30_000_000]
const bodyOf = new Map(kinds.flatMap(([name, make]) => SIZES.map((size) => [`${name} ${size}`, make(size)] as const)))

function bodyAt(i: number): Buffer {
  const size = i % 100 === 0 ? 30_000_000 : i % 10 === 0 ? 1_000_000 : i % 3 === 0 ? 60_000 : 2_000
  const [name] = kinds[Math.floor(i * 0.618) % kinds.length] ?? ['']
  return bodyOf.get(`${name} ${size}`) ?? Buffer.alloc(0)
}

test(`A5, A4: ${BODIES} hostile bodies stop nobody for ${LONGEST_STALL_MS} ms, and leave nothing behind`, async () => {
  for (const [name] of kinds) await send(bodyOf.get(`${name} 30000000`) ?? Buffer.alloc(0))
  const before = await measure()
  const statuses = new Map<number, number>()
  let next = 0
  const worker = async () => {
    for (let i = next++; i < BODIES; i = next++) {
      const status = await send(bodyAt(i))
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  const during = await measure()
  expect([...statuses.keys()].toSorted((a, b) => a - b)).toEqual([200, 400])
  expect(during.longestStallMs).toBeLessThan(LONGEST_STALL_MS)
  await until(async () => (await measure()).rssBytes < before.rssBytes * 1.2, 20_000)
})

test.each(kinds)('A5: 30 MB of %s stop nobody for 100 ms', async (name) => {
  await measure()
  await send(bodyOf.get(`${name} 30000000`) ?? Buffer.alloc(0))
  expect((await measure()).longestStallMs).toBeLessThan(LONGEST_STALL_MS)
})
