import { expect, test } from 'vitest'
import type { Answer } from '../../../../daemon/upstream/asking.ts'
import type { EngineProbe } from '../../../../daemon/upstream/engine-probe.ts'
import { createGrades } from '../../../../daemon/upstream/grades.ts'
import { createProbes } from '../../../../daemon/upstream/probe.ts'
import type { Upstream } from '../../../../daemon/upstream/upstream.ts'

/** Finds in an answer what it says is wrong with it; `null` cannot be read. */
const faultsOf = (stream: Buffer): readonly string[] | null =>
  stream.toString() === 'null' ? null : stream.toString().split(',').filter(Boolean)
const PROBE: EngineProbe = {
  dialect: 'anthropic',
  path: '/messages',
  headers: {},
  empty: { body: {}, faultsOf: (text) => text.split(',').filter(Boolean) },
  questions: [
    { ask: () => ({ asks: 'text' }), faultsOf },
    { ask: () => ({ asks: 'call' }), faultsOf },
  ],
}

type Reply = { readonly status?: number; readonly text?: string }

/** An engine that replies to the empty question, and to one after the other of those that follow. */
function engine(
  replies: readonly Reply[],
  { provider = 'vllm', dialects = {}, models = ['m'] as readonly string[] } = {},
) {
  const asked: object[] = []
  let at = 0
  const grades = createGrades({ 'openai-chat': 'native' }, dialects)
  const upstream = {
    name: 'engine',
    provider,
    isSet: grades.isSet,
    learn: grades.learn,
    ask: async (_path: string, _signal: AbortSignal, post: { readonly body: string }) => {
      asked.push(JSON.parse(post.body))
      const reply = replies[at]
      at += 1
      if (reply === undefined) throw new Error('connection refused')
      return answerOf(reply)
    },
  } as unknown as Upstream
  let nowMs = 0
  const probes = createProbes([PROBE], () => nowMs)
  return {
    asked,
    probes,
    grades,
    refresh: (served: readonly string[] | null = models) =>
      probes.refresh([upstream], () => served, new AbortController().signal),
    later: (ms: number) => {
      nowMs += ms
    },
  }
}

function answerOf({ status = 200, text = '' }: Reply): Answer {
  async function* body() {
    yield Buffer.from(text)
  }
  return { ok: status < 300, status, body: Object.assign(body(), { cancel: async () => {} }) }
}

const REFUSED = { status: 400 }
const DAY_MS = 24 * 3_600_000

test.each<{
  name: string
  replies: readonly Reply[]
  grade: string | undefined
  faults?: readonly string[]
  asked: number
}>([
  { name: 'nothing wrong', replies: [REFUSED, {}, {}], grade: 'native', asked: 3 },
  {
    name: 'no such route',
    replies: [{ status: 404 }],
    grade: 'translate',
    faults: ['there is no such route'],
    asked: 1,
  },
  { name: 'a broken text', replies: [REFUSED, { text: 'a,b' }], grade: 'repair', faults: ['a', 'b'], asked: 2 },
  { name: 'a broken call', replies: [REFUSED, {}, { text: 'c' }], grade: 'repair', faults: ['c'], asked: 3 },
  {
    name: 'errors of another shape, even with a wrong status',
    replies: [{ status: 500, text: 'e' }, {}],
    grade: 'repair',
    faults: ['e'],
    asked: 2,
  },
  {
    name: 'an answer that cannot be read',
    replies: [REFUSED, { text: 'null' }],
    grade: 'translate',
    faults: ['a plain answer cannot be read'],
    asked: 2,
  },
  {
    name: 'a plain request refused',
    replies: [REFUSED, { status: 422 }],
    grade: 'translate',
    faults: ['a plain request is answered 422'],
    asked: 2,
  },
  { name: 'a key that it does not take', replies: [{ status: 401 }], grade: undefined, asked: 1 },
  { name: 'no answer', replies: [], grade: undefined, asked: 1 },
  { name: 'a model that is loading', replies: [REFUSED, { status: 503 }], grade: undefined, asked: 2 },
])('an engine with $name is found to be: $grade', async ({ replies, grade, faults, asked }) => {
  const one = engine(replies)
  await one.refresh()
  expect(one.grades.current()).toEqual({ 'openai-chat': 'native', ...(grade !== undefined && { anthropic: grade }) })
  const origin = { from: 'probe', ...(faults !== undefined && { faults }) }
  expect(one.grades.origins()).toEqual(grade === undefined ? {} : { anthropic: origin })
  expect(one.asked).toHaveLength(asked)
})

test.each([
  { name: 'the dialect is set by hand', options: { dialects: { anthropic: 'translate' } } },
  { name: 'it would load a model for that', options: { provider: 'ollama' } },
  { name: 'it is a router of several models', options: { provider: 'llama-cpp', models: ['a', 'b'] } },
  { name: 'it is no engine', options: { provider: 'custom' } },
  { name: 'it does not answer', options: { models: [] } },
] as const)('an engine is not asked when $name', async ({ options }) => {
  const one = engine([REFUSED, {}, {}], options)
  await one.refresh()
  expect(one.asked).toEqual([])
})

test('an engine is asked once a day, at once when it was started anew, and never while it is asleep', async () => {
  const one = engine(Array.from({ length: 4 }, () => [REFUSED, {}, {}]).flat())
  const asks = async (served?: readonly string[] | null) => {
    const before = one.asked.length
    await one.refresh(served)
    return one.asked.length - before
  }
  expect(await asks()).toBe(3)
  expect(await asks()).toBe(0)
  one.later(DAY_MS)
  expect(await asks(null)).toBe(0)
  expect(await asks()).toBe(3)
  one.probes.forget('engine')
  expect(await asks()).toBe(3)
  expect(await asks([])).toBe(0)
  expect(await asks()).toBe(3)
})

test('what was found stays when the engine gives no clear answer later, and it is asked again before a day is over', async () => {
  const one = engine([REFUSED, { text: 'a' }, { status: 503 }, REFUSED, {}, {}])
  await one.refresh()
  one.later(DAY_MS)
  await one.refresh()
  expect(one.grades.current()).toMatchObject({ anthropic: 'repair' })
  one.later(DAY_MS / 2)
  await one.refresh()
  expect(one.grades.current()).toEqual({ 'openai-chat': 'native', anthropic: 'native' })
})

test('what is set by hand counts, and is shown as that', () => {
  const grades = createGrades({ 'openai-chat': 'native' }, { openai_chat: 'repair', anthropic: 'native' })
  grades.learn({ anthropic: { grade: 'repair', faults: ['a'] } })
  expect(grades.current()).toEqual({ 'openai-chat': 'repair', anthropic: 'native' })
  expect(grades.origins()).toEqual({ 'openai-chat': { from: 'config' }, anthropic: { from: 'config' } })
})
