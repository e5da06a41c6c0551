import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type HelloReading, helloReader } from '../../../wire/client-hello.ts'
import { sampled } from '../../support/effort.ts'
import { below, createRandom, pick } from '../../support/fuzz.ts'

/** What real clients sent, and what was made of that; `expect.also` are other answers that can be defended. */
type Case = {
  readonly name: string
  readonly wire: string
  readonly expect: {
    readonly kind: 'name' | 'none' | 'refuse' | 'incomplete'
    readonly name?: string
    readonly alpn?: readonly string[]
    readonly also?: readonly string[]
  }
}

const cases: readonly Case[] = JSON.parse(readFileSync(join(import.meta.dirname, 'client-hellos.json'), 'utf8'))
const bytesOf = ({ wire }: Case) => Buffer.from(wire, 'base64')

function read(bytes: Buffer, size: number): HelloReading {
  const feed = helloReader()
  for (let at = 0; at < bytes.length; at += size) {
    const reading = feed(bytes.subarray(at, at + size))
    if (reading.kind !== 'more') return reading
  }
  return { kind: 'more' }
}

const kindOf = (reading: HelloReading): string => {
  if (reading.kind !== 'hello') return reading.kind === 'more' ? 'incomplete' : 'refuse'
  return reading.hello.name === null ? 'none' : 'name'
}

test.each(cases)('$name', (hello) => {
  const readings = [1, 7, 1_448, 100_000].map((size) => read(bytesOf(hello), size))
  for (const reading of readings) expect(reading).toEqual(readings[0])
  const [reading = { kind: 'more' as const }] = readings
  expect([hello.expect.kind, ...(hello.expect.also ?? [])]).toContain(kindOf(reading))
  if (reading.kind !== 'hello') return
  expect(reading.hello.name).toBe(hello.expect.name ?? null)
  if (hello.expect.alpn !== undefined) expect(reading.hello.alpn).toEqual(hello.expect.alpn)
})

test('there are cases of many clients', () => {
  expect(cases.length).toBeGreaterThan(60)
})

/** Some bytes changed, left out, doubled or put in. */
function mutated(bytes: Buffer, random: () => number): Buffer {
  let result = Buffer.from(bytes)
  for (let change = below(random, 4); change >= 0; change -= 1) {
    const at = below(random, result.length + 1)
    const length = below(random, 8)
    const [before, after] = [result.subarray(0, at), result.subarray(at)]
    switch (below(random, 4)) {
      case 0:
        if (at < result.length) result[at] = below(random, 256)
        break
      case 1:
        result = Buffer.concat([before, after.subarray(length)])
        break
      case 2:
        result = Buffer.concat([before, after.subarray(0, length), after])
        break
      default:
        result = Buffer.concat([before, Buffer.from([below(random, 256)]), after])
    }
  }
  return result
}

test('damaged hellos: every one has an answer, the same however it is cut, and only sound names are taken', () => {
  const random = createRandom(20_261_130)
  const originals = cases.map(bytesOf).filter((bytes) => bytes.length < 4_000)
  for (let trial = 0; trial < sampled(50_000, 1_000_000); trial += 1) {
    const bytes = mutated(pick(random, originals), random)
    const whole = read(bytes, bytes.length || 1)
    if (trial % 10 === 0) expect(read(bytes, 1 + below(random, 50))).toEqual(whole)
    if (whole.kind !== 'hello' || whole.hello.name === null) continue
    const { name } = whole.hello
    if (!/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(name)) expect.fail(`took ${JSON.stringify(name)}`)
  }
})
