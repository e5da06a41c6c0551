import { Worker } from 'node:worker_threads'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createChecker } from '../../../../daemon/check/checker.ts'
import type { Question } from '../../../../daemon/check/verdict.ts'

// Limits on time are either far away, or those of what never ends.
const FAR = { longestMs: 600_000, startMs: 600_000, waitMs: 600_000 }

const lines: string[] = []
let nowMs = 0
const open: ReturnType<typeof createChecker>[] = []
function checkerWith(limits: Parameters<typeof createChecker>[2] = {}) {
  const checker = createChecker(
    (_, message) => void lines.push(message),
    () => nowMs,
    { ...FAR, ...limits },
  )
  open.push(checker)
  return { ...checker, check: (asked: Question, keyId = 'k') => checker.check(asked, keyId) }
}
afterEach(async () => {
  for (const checker of open.splice(0)) await checker.close()
  lines.length = 0
})

const question = (text: string, schema: unknown = { properties: { a: { type: 'integer' } } }) => ({
  text,
  schema: JSON.stringify(schema),
  isCall: true,
})
const sound = (json: string) => ({ kind: 'sound', json })
const UNCHECKED = { kind: 'unchecked' }

/** Each level asks twice for the next one. */
const NESTED = {
  $defs: Object.fromEntries(
    Array.from({ length: 60 }, (_, level) => {
      const next = { $ref: `#/$defs/d${(level + 1) % 60}` }
      return [`d${level}`, level === 59 ? { type: 'object' } : { allOf: [next, next] }]
    }),
  ),
  $ref: '#/$defs/d0',
}
const PATTERN = { properties: { a: { pattern: '^(a+)+$' } } }
const ENDLESS = `{"a":"${'a'.repeat(100)}!"}`

test('two questions at once get an answer each', async () => {
  const { check } = checkerWith()
  const answers = await Promise.all([check(question('{"a":"1"}')), check(question('{"a":[]}')), check(question(''))])
  expect(answers).toEqual([sound('{"a":1}'), { kind: 'wrong', problem: '/a must be integer' }, sound('{}')])
  expect(lines).toEqual([])
})

test.each([
  { bomb: 'references that double', asked: question('{}', NESTED) },
  { bomb: 'a pattern', asked: question(ENDLESS, PATTERN) },
])('$bomb: it ends, and what waits is answered by another thread', async ({ asked }) => {
  const { check } = checkerWith({ longestMs: 200 })
  const bomb = check(asked)
  const behind = check(question('{"a":"1"}', { title: 'behind', properties: { a: { type: 'integer' } } }))
  expect(await bomb).toEqual(UNCHECKED)
  expect([sound('{"a":1}'), UNCHECKED]).toContainEqual(await behind) // on a slow machine it may take too long, too
  expect(lines.length).toBeGreaterThan(0)
  expect(await check(asked)).toEqual(UNCHECKED) // known now
})

test('an answer that takes too much memory ends its thread, and nothing else', async () => {
  const { check } = checkerWith({ heapMb: 24 })
  const many = { items: { allOf: Array.from({ length: 500 }, (_, i) => ({ minimum: i + 1 })) } }
  const asked = {
    text: JSON.stringify({ a: Array(20_000).fill(0) }),
    schema: JSON.stringify({ properties: { a: many } }),
  }
  expect(await check({ ...asked, isCall: true })).toEqual(UNCHECKED)
  expect(await check(question('{"a":"1"}'))).toEqual(sound('{"a":1}'))
})

test('more than may wait goes unchecked', async () => {
  const { check } = checkerWith({ mostWaiting: 1 })
  const answers = await Promise.all([check(question('{}')), check(question('{}')), check(question('{}'))])
  expect(answers).toEqual([sound('{}'), sound('{}'), UNCHECKED])
  const { check: small } = checkerWith({ mostCharacters: 10 })
  expect(await small(question('{}'))).toEqual(UNCHECKED)
})

test('what has waited too long goes unchecked', async () => {
  let now = 0
  const checker = createChecker(
    () => {},
    () => now,
    FAR,
  )
  open.push(checker)
  const first = checker.check(question('{"a":"1"}'), 'k')
  const second = checker.check(question('{"a":"2"}'), 'k')
  now = 700_000
  expect(await first).toEqual(sound('{"a":1}'))
  expect(await second).toEqual(UNCHECKED)
})

test('what is asked when it closes goes unchecked, and so is what is asked later', async () => {
  const checker = checkerWith()
  const asked = checker.check(question(ENDLESS, PATTERN))
  const waits = checker.check(question('{}'))
  await checker.close()
  expect(await Promise.all([asked, waits, checker.check(question('{}'))])).toEqual([UNCHECKED, UNCHECKED, UNCHECKED])
  expect(lines).toEqual([])
})

describe('the processor', () => {
  const used = vi.spyOn(Worker.prototype, 'cpuUsage')
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] }))
  afterEach(() => void vi.useRealTimers())
  afterAll(() => used.mockRestore())

  const FITS = question('{"a":"aa"}', PATTERN)
  async function afterRounds(rounds: number, ms: number) {
    const checker = checkerWith()
    used.mockResolvedValue({ user: ms * 1_000, system: 0 })
    expect(await checker.check(question('{}'))).toEqual(sound('{}')) // the thread has begun
    const bomb = checker.check(question(ENDLESS, PATTERN))
    await vi.advanceTimersByTimeAsync(rounds * FAR.longestMs)
    expect(await bomb).toEqual(UNCHECKED)
    expect(lines).toHaveLength(1)
    return checker
  }

  test('a question whose thread gets nothing of it ends, and its schema is not condemned', async () => {
    const { check } = await afterRounds(15, 0)
    expect(await check(FITS)).toEqual(sound('{"a":"aa"}'))
  })

  test('a schema that takes too much of it is condemned, for an hour', async () => {
    const { check } = await afterRounds(1, FAR.longestMs)
    expect(await check(FITS)).toEqual(UNCHECKED)
    nowMs += 3_600_000
    expect(await check(FITS)).toEqual(sound('{"a":"aa"}'))
  })
})
