import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { COMPILE_CACHE, until } from '../support/daemon.ts'
import { KEY } from '../support/data-plane.ts'
import { sampled, someOf } from '../support/effort.ts'
import { HOSTILE } from '../support/hostile-bodies.ts'

const BODIES = sampled(800, 20_000)
const ROUNDS = sampled(3, 40)
const AT_ONCE = 4
/** Bodies that show how much memory this takes at its most, a tenth of them large. */
const WARM_UP = sampled(60, 200)
/** One body in so many is large. */
const LARGE_EVERY = sampled(200, 100)
const LONGEST_STALL_MS = 100

let child: ChildProcess
let url: string
beforeAll(async () => {
  child = fork(join(import.meta.dirname, '../support/hostile-child.ts'), {
    execArgv: ['--expose-gc'],
    // threads that unpack would each keep an arena of freed memory, more or less of it each time
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE, MALLOC_ARENA_MAX: '1' },
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

type Body = { readonly bytes: Buffer; readonly coding: string }

/** @returns the status; 0 when the connection was closed before one came */
function send({ bytes, coding }: Body): Promise<number> {
  return new Promise((resolve) => {
    const headers = {
      authorization: `Bearer ${KEY}`,
      'content-type': 'application/json',
      'content-encoding': coding,
      'content-length': bytes.length,
    }
    const outgoing = request(`${url}/v1/chat/completions`, { method: 'POST', agent, headers }, (response) => {
      response.resume()
      response.on('close', () => resolve(response.statusCode ?? 0))
    })
    outgoing.on('error', () => resolve(0))
    outgoing.end(bytes)
  })
}

const kinds = Object.entries(HOSTILE)
const LARGE = 30_000_000
const SIZES = [2_000, 60_000, 1_000_000, LARGE]
const CODINGS = ['identity', 'zstd', 'gzip'] as const
const bodies: ReadonlyMap<string, Body> = new Map(
  kinds.flatMap(([name, make]) =>
    SIZES.flatMap((size) => {
      const bytes = make(size)
      const codings = size === LARGE ? CODINGS.slice(0, 2) : CODINGS // packing takes longest of all here
      return codings.map((coding) => [`${name} ${size} ${coding}`, { bytes: packed(bytes, coding), coding }] as const)
    }),
  ),
)

function packed(bytes: Buffer, coding: (typeof CODINGS)[number]): Buffer {
  if (coding === 'identity') return bytes
  return coding === 'zstd' ? zstdCompressSync(bytes) : gzipSync(bytes, { level: 1 })
}

function bodyOf(name: string, size: number, coding: string): Body {
  const body = bodies.get(`${name} ${size} ${coding}`)
  if (body === undefined) throw new Error(`no body ${name}`)
  return body
}

function bodyAt(i: number, largeEvery = 100): Body {
  const size = i % largeEvery === 0 ? 30_000_000 : i % 10 === 0 ? 1_000_000 : i % 3 === 0 ? 60_000 : 2_000
  const [name = ''] = kinds[Math.floor(i * 0.618) % kinds.length] ?? []
  const turn = Math.floor(i / 7) % 4
  return bodyOf(name, size, turn === 1 ? 'zstd' : turn === 3 && size < LARGE ? 'gzip' : 'identity')
}

/** Sends bodies, some at once. @returns their statuses, in no order */
async function sendAll(all: readonly Body[]): Promise<number[]> {
  const statuses: number[] = []
  let next = 0
  const worker = async () => {
    for (let body = all[next++]; body !== undefined; body = all[next++]) statuses.push(await send(body))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return statuses
}

test(`A5, A4, B9: ${BODIES} hostile bodies, half of them packed, stop nobody for ${LONGEST_STALL_MS} ms, and leave nothing behind`, async () => {
  await sendAll(Array.from({ length: WARM_UP }, (_, i) => bodyAt(20 * i + 1 - (i % 2))))
  await measure()
  const bodies = Array.from({ length: BODIES }, (_, i) => bodyAt(i, LARGE_EVERY))
  const half = BODIES / 2
  const first = await sendAll(bodies.slice(0, half)) // what they have needed is not given back at once, but used again
  const before = await measure()
  const second = await sendAll(bodies.slice(half))
  const after = await measure()
  expect([...new Set([...first, ...second])].toSorted((a, b) => a - b)).toEqual([200, 400])
  expect(Math.max(before.longestStallMs, after.longestStallMs)).toBeLessThan(LONGEST_STALL_MS)
  await until(async () => (await measure()).rssBytes < before.rssBytes * 1.2, 20_000)
})

test.each(someOf(kinds, 3))('A5: 30 MB of %s stop nobody for 100 ms, packed or not', async (name) => {
  for (const coding of CODINGS.slice(0, 2)) {
    await measure()
    await send(bodyOf(name, LARGE, coding))
    expect([coding, (await measure()).longestStallMs < LONGEST_STALL_MS]).toEqual([coding, true])
  }
})

test('B9: bombs, broken and cut ones stop nobody, and leave nothing behind', async () => {
  const zeros = Buffer.alloc(400_000_000)
  const bombs = [
    { bytes: zstdCompressSync(zeros), coding: 'zstd', status: 413 },
    { bytes: gzipSync(zeros.subarray(0, 100_000_000), { level: 1 }), coding: 'gzip', status: 413 },
    { bytes: bodyOf('what is good', 1_000_000, 'zstd').bytes.subarray(0, -9), coding: 'zstd', status: 400 },
    { bytes: bodyOf('what is good', 1_000_000, 'gzip').bytes.subarray(0, -9), coding: 'gzip', status: 400 },
    { bytes: zeros.subarray(0, 1_000_000), coding: 'gzip', status: 400 },
  ]
  let longestStallMs = 0
  const rssAfterRounds = async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const statuses = await Promise.all(bombs.map(send))
      // a refusal in the middle of a body may be lost with its connection
      expect(statuses.map((status, i) => status === 0 || status === bombs[i]?.status)).toEqual(bombs.map(() => true))
    }
    const seen = await measure()
    longestStallMs = Math.max(longestStallMs, seen.longestStallMs)
    return seen.rssBytes
  }
  // What is freed is not always given back, more or less by how the bombs met. What is kept grows each time.
  const rss = [await rssAfterRounds()]
  do rss.push(await rssAfterRounds())
  while ((rss.at(-1) ?? 0) > (rss.at(-2) ?? 0) * 1.1 && rss.length < 6)
  expect(rss.length, `it grows: ${rss.map((bytes) => Math.round(bytes / 1e6)).join(', ')} MB`).toBeLessThan(6)
  expect(longestStallMs).toBeLessThan(LONGEST_STALL_MS)
})
