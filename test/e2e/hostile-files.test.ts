import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { COMPILE_CACHE } from '../support/daemon.ts'
import { sampled } from '../support/effort.ts'
import { HOSTILE_FILES } from '../support/hostile-files.ts'

const FILES = sampled(160, 2_000)
const LONGEST_STALL_MS = 100
const MOST_LOGGED = 20_000
const SIZES = [300, 127_000, 20_000, 60_000, 400_000, 2_000_000]
const kinds = Object.keys(HOSTILE_FILES)

let child: ChildProcess
beforeAll(async () => {
  child = fork(join(import.meta.dirname, '../support/hostile-files-child.ts'), {
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
  })
  await once(child, 'message')
})
afterAll(() => child.disconnect())

type Seen = {
  readonly longestStallMs: number
  readonly logged: number
  readonly told: number
  readonly closed: string | null
}

async function read(kind: string, bytes: number, how: 'reload' | 'validate'): Promise<Seen> {
  child.send({ kind, bytes, how })
  const [seen] = (await once(child, 'message')) as [Seen]
  return seen
}

/**
 * The least of a few tries: what a file costs, it costs each time; a collection of garbage, or a cold cache, is another
 * thing.
 */
async function leastStall(kind: string, bytes: number, how: 'reload' | 'validate'): Promise<Seen> {
  let best = await read(kind, bytes, how)
  for (let tries = 1; tries < 4 && best.longestStallMs >= LONGEST_STALL_MS; tries += 1) {
    const next = await read(kind, bytes, how)
    if (next.longestStallMs < best.longestStallMs) best = next
  }
  return best
}

test(`A7: ${FILES} hostile files stop nobody for ${LONGEST_STALL_MS} ms, fill no log and close nothing`, async () => {
  for (let i = 0; i < FILES; i += 1) {
    const kind = kinds[i % kinds.length] ?? ''
    const bytes = (SIZES[Math.floor(i / kinds.length) % SIZES.length] ?? 0) + (i % 97)
    const how = Math.floor(i / (kinds.length * SIZES.length)) % 2 === 0 ? 'reload' : 'validate'
    const seen = await leastStall(kind, bytes, how)
    expect(seen.longestStallMs, `${how} of ${bytes} bytes of ${kind}`).toBeLessThan(LONGEST_STALL_MS)
    expect(seen.logged, kind).toBeLessThan(MOST_LOGGED)
    expect(seen.told, kind).toBeLessThanOrEqual(51)
    expect(seen.closed, kind).toBeNull()
  }
})

test.each(kinds)('A7: 127,000 bytes of %s stop nobody for 100 ms', async (kind) => {
  for (const how of ['reload', 'validate'] as const)
    expect((await leastStall(kind, 127_000, how)).longestStallMs, how).toBeLessThan(LONGEST_STALL_MS)
})
