import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sampled } from '../../../../support/effort.ts'
import { below, broken, createRandom, pick } from '../../../../support/fuzz.ts'
import { startNode, startRelay, type TestNode, type TestRelay } from '../../../../support/relay.ts'
import { type Visitor, visit } from '../../../../support/visitor.ts'

/** What real clients sent, and what was made of that: test/unit/wire/client-hellos.json. */
type Case = {
  readonly name: string
  readonly wire: string
  readonly expect: {
    readonly kind: 'name' | 'none' | 'refuse' | 'incomplete'
    readonly name?: string
    readonly also?: readonly string[]
  }
}

const cases: readonly Case[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../wire/client-hellos.json'), 'utf8'),
)
const AT_ONCE = 32
const FUZZED = sampled(3_000, 50_000)

let relay: TestRelay
let node: TestNode
beforeAll(async () => {
  relay = await startRelay()
  node = await startNode({
    port: relay.port,
    take(stream, headers) {
      stream.respond({ ':status': 200 })
      stream.write(`for ${headers[':authority']}\n`)
      stream.pipe(stream)
    },
  })
  for (const { expect } of cases) if (expect.name !== undefined) relay.names.set(expect.name, node.id)
})
afterAll(async () => {
  node?.stop()
  await relay?.stop()
})

/** What becomes of bytes: a name and what came back, an alert, or nothing as long as more may come. */
async function outcome(visitor: Visitor, bytes: Buffer): Promise<string> {
  const passed = new Promise<string>((resolve) => {
    const look = () => {
      const got = visitor.got()
      const line = got.toString('latin1', 0, 4) === 'for ' ? got.indexOf('\n') : -1
      if (line < 0 || got.length < line + 1 + bytes.length) return
      const isSame = got.subarray(line + 1).equals(bytes)
      resolve(isSame ? got.toString('latin1', 0, line) : 'other bytes came back')
    }
    visitor.socket.on('data', look)
    look()
  })
  const ended = Promise.race([visitor.ended, visitor.closed]).then(() =>
    visitor.got()[0] === 21 ? `alert ${visitor.got()[6]}` : visitor.got().toString('latin1', 0, 12) || 'closed',
  )
  return Promise.race([passed, ended])
}

const answerOf = (told: string): string => {
  if (told.startsWith('for ')) return 'name'
  return told === 'alert 112' ? 'none' : 'refuse'
}

test.each(cases)('$name', async ({ wire, expect: { kind, name, also = [] } }) => {
  const bytes = Buffer.from(wire, 'base64')
  for (const size of [bytes.length, 1_000, 61]) {
    const [first = bytes, ...rest] = pieces(bytes, size)
    const visitor = await visit(relay.port, first)
    for (const piece of rest) {
      await new Promise(setImmediate)
      if (visitor.socket.writable) visitor.socket.write(piece)
    }
    if (kind === 'incomplete') visitor.socket.end() // it would wait for more
    const told = await outcome(visitor, bytes)
    visitor.socket.destroy()
    const said = kind === 'incomplete' && told === 'closed' ? 'incomplete' : answerOf(told)
    expect([kind, ...also]).toContain(said)
    if (said === 'name') expect(told).toBe(`for ${name}:443`)
  }
})

function pieces(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) || 1 }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
}

test(`${FUZZED} damaged hellos take nothing down, and only names that exist lead anywhere`, async () => {
  const originals = cases.map(({ wire }) => Buffer.from(wire, 'base64')).filter(({ length }) => length < 4_000)
  const known = new Set(cases.map(({ expect: { name } }) => `for ${name}:443`))
  let left = FUZZED
  const workers = Array.from({ length: AT_ONCE }, async (_, seed) => {
    const random = createRandom(seed)
    while (left-- > 0) {
      const bytes = damaged(pick(random, originals), random)
      const visitor = await visit(relay.port, bytes)
      visitor.socket.end()
      const told = await outcome(visitor, bytes)
      visitor.socket.destroy()
      if (told.startsWith('for ')) expect(known).toContain(told)
      else expect(told).toMatch(/^(?:closed|alert (?:50|112)|HTTP\/1.1 400)$/)
    }
  })
  await Promise.all(workers)
  await expect.poll(() => relay.relay.metrics(), { timeout: 10_000 }).toMatch(/^gate_relay_unparsed 0$/m)
  await expect.poll(() => relay.relay.metrics(), { timeout: 10_000 }).toMatch(/^gate_relay_visitors 0$/m)
})

function damaged(bytes: Buffer, random: () => number): Buffer {
  if (random() < 0.1) return bytes
  if (random() < 0.3) return broken(random, bytes)
  const result = Buffer.from(bytes)
  for (let left = 1 + below(random, 4); left > 0; left -= 1) result[below(random, result.length)] = below(random, 256)
  return result
}
