import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GateError } from '../../schemas/words/errors.ts'
import { CASES, type Case } from './cases.ts'
import { checkBody, checkEvents } from './checks.ts'
import { ofSdk, openProblems } from './open-responses.ts'
import { answerBytes, chunksOf, eventsOf, run } from './run.ts'
import { problemsOf, type Shape } from './schemas.ts'
import { checkStream } from './streams.ts'

type Shapes = { readonly request: Shape; readonly answer: Shape; readonly event: Shape }

const SHAPES: Readonly<Record<string, Shapes>> = {
  'openai-chat': {
    request: 'openai:ChatCompletionCreateParams',
    answer: 'openai:ChatCompletion',
    event: 'openai:ChatCompletionChunk',
  },
  'openai-responses': {
    request: 'openai:ResponseCreateParams',
    answer: 'openai:Response',
    event: 'openai:ResponseStreamEvent',
  },
  anthropic: {
    request: 'anthropic:MessageCreateParams',
    answer: 'anthropic:Message',
    event: 'anthropic:RawMessageStreamEvent',
  },
  google: {
    request: 'google:GenerateContentRequest',
    answer: 'google:GenerateContentResponse',
    event: 'google:GenerateContentResponse',
  },
  ollama: { request: 'ollama:ChatRequest', answer: 'ollama:ChatResponse', event: 'ollama:ChatResponse' },
  '/api/generate': {
    request: 'ollama:GenerateRequest',
    answer: 'ollama:GenerateResponse',
    event: 'ollama:GenerateResponse',
  },
}

/**
 * What engines and providers have and OpenAI's types do not: in requests to them, and in answers to clients. Streams of
 * OpenAI's have `annotations`, too.
 */
const BESIDES = new Set([
  'top_k',
  'chat_template_kwargs',
  'reasoning_content',
  'reasoning_details',
  'extra_content',
  'thought_signature',
])

const pretty = (json: string) => `${JSON.stringify(JSON.parse(json), null, 2)}\n`
const without = (json: string) =>
  JSON.parse(json, (key, value) => {
    if (key === 'delta' && value !== null && typeof value === 'object') return { ...value, annotations: undefined }
    return BESIDES.has(key) || (key === 'reasoning' && typeof value === 'string') ? undefined : value
  })
/** The bytes of tokens in events, which the Open Responses document requires and the SDK's types of events leave out. */
const withoutBytes = (event: string) =>
  /"type":"response\.output_text\.(?:delta|done)"/.test(event) ? event.replaceAll(/,"bytes":\[[\d,]*\]/g, '') : event
const asOfSdk = (answer: string) => JSON.parse(JSON.stringify(without(withoutBytes(answer))), ofSdk)

describe.each(CASES.filter(({ refused }) => refused === undefined))('$name', (one: Case) => {
  const { ingress, upstream, path = ingress, folder, expect: expected = {} } = one
  const isStream = isStreamed(one)
  const { sent, dropped, shown } = run(one, chunksOf(one))
  const shapes = SHAPES[path]
  if (shapes === undefined) throw new Error(`no shapes of ${ingress}`)

  test('the upstream gets what its types allow', async () => {
    const shape = SHAPES[upstream]?.request
    const isOwn = one.provider === undefined
    if (shape !== undefined) expect(problemsOf(shape, isOwn ? JSON.parse(sent) : without(sent))).toEqual([])
    for (const check of expected.upstream_request ?? []) checkBody(JSON.parse(sent), check)
    expect(dropped).toEqual(one.dropped ?? [])
    await expect(pretty(sent)).toMatchFileSnapshot(join(folder, 'upstream-request.json'))
  })

  test('the client gets what its types allow', async () => {
    if (!isStream) {
      expect(problemsOf(shapes.answer, asOfSdk(shown))).toEqual([])
      for (const check of expected.client_response ?? []) checkBody(JSON.parse(shown), check)
      await expect(pretty(shown)).toMatchFileSnapshot(join(folder, 'client-response.json'))
      return
    }
    const events = eventsOf(shown)
    for (const { type, data } of events) {
      if (typeof data !== 'object' || type === 'ping' || isError(data)) continue
      expect(problemsOf(shapes.event, asOfSdk(JSON.stringify(data)))).toEqual([])
    }
    checkStream[ingress]?.(events)
    for (const check of expected.client_response ?? []) checkEvents(events, check)
    await expect(shown).toMatchFileSnapshot(join(folder, 'client-response.txt'))
  })
})

test.each(CASES.filter(isStreamed))('$name: nothing changes when the chunks are cut elsewhere', (one) => {
  const bytes = answerBytes(one)
  const { shown } = run(one, chunksOf(one))
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 12 }), (cuts) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
      const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end))
      expect(run(one, chunks).shown).toBe(shown)
    }),
    { numRuns: 20 },
  )
  expect(
    run(
      one,
      Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)),
    ).shown,
  ).toBe(shown)
})

function isStreamed({ upstream_response: response }: Case): boolean {
  return Array.isArray(response)
}

const isError = (data: unknown): boolean => data !== null && typeof data === 'object' && 'error' in data

test.each(CASES.filter(({ refused }) => refused !== undefined))('$name is refused over $refused', (one) => {
  const refusal = refusalOf(() => run(one, []))
  expect(refusal).toMatchObject({ code: 'BAD_REQUEST', param: one.refused })
})

function refusalOf(work: () => unknown): unknown {
  try {
    work()
    return null
  } catch (error) {
    if (error instanceof GateError) return error
    throw error
  }
}

test.each([
  { name: 'no beginning', cut: 'event: message_start' },
  { name: 'no beginning of a block', cut: 'event: content_block_start' },
  { name: 'no end of a block', cut: 'event: content_block_stop' },
  { name: 'no end', cut: 'event: message_stop' },
])('a stream with $name would be noticed', ({ cut }) => {
  const one = CASES.find(({ name }) => name === 'anthropic/openai-chat/calls-side-by-side')
  if (one === undefined) throw new Error('no such case')
  const frames = run(one, chunksOf(one)).shown.split(/(?<=\n\n)/)
  expect(() => checkStream['anthropic']?.(eventsOf(frames.join('')))).not.toThrow()
  const at = frames.findIndex((frame) => frame.startsWith(cut))
  expect(() => checkStream['anthropic']?.(eventsOf(frames.toSpliced(at, 1).join('')))).toThrow()
})

const FULL = ['openai-chat', 'openai-responses', 'anthropic', 'google']
test.each([...FULL, 'ollama'].flatMap((ingress) => FULL.map((upstream) => ({ ingress, upstream }))))(
  'there are at least 14 cases from $ingress to $upstream',
  (pair) => {
    const cases = CASES.filter(({ ingress, upstream }) => ingress === pair.ingress && upstream === pair.upstream)
    expect(cases.length).toBeGreaterThanOrEqual(14)
  },
)

const written = CASES.filter(
  ({ ingress, upstream, refused, grade }) =>
    ingress === 'openai-responses' && (upstream !== ingress || grade === 'repair') && refused === undefined,
)
test.each(written)('$name: what is answered is what the Open Responses document describes', (one) => {
  const { shown } = run(one, chunksOf(one))
  const all = isStreamed(one) ? eventsOf(shown).map(({ data }) => data) : [JSON.parse(shown)]
  expect(all.length).toBeGreaterThan(0)
  expect(all.flatMap(openProblems)).toEqual([])
})

test.each([
  { name: 'a response without a field', value: { object: 'response', id: 'resp_1' }, says: 'output' },
  { name: 'an event without its number', value: { type: 'response.output_text.delta', delta: 'a' }, says: 'sequence' },
  { name: 'an error without its error', value: { type: 'error', sequence_number: 0, message: 'a' }, says: 'error' },
])('$name is noticed', ({ value, says }) => {
  expect(openProblems(value).join()).toContain(says)
})
