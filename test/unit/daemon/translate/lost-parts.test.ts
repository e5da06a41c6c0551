import { expect, test } from 'vitest'
import { DIALECTS } from '../../../../daemon/translate/dialects.ts'
import type { NeutralEvent } from '../../../../daemon/translate/neutral.ts'
import { type AnswerFacts, translate } from '../../../../daemon/translate/translation.ts'

const FACTS: AnswerFacts = { requestId: 'r1', nowS: 1_700_000_000, elapsedNs: () => 0, calls: 'pass' }

const named = (...events: readonly (readonly [string, object])[]) =>
  events.map(([type, data]) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`).join('')
const unnamed = (...events: readonly object[]) => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
const delta = (said: object, finish: string | null = null) => ({
  choices: [{ index: 0, delta: said, finish_reason: finish }],
})

const dialectOf = (name: string) => {
  const dialect = DIALECTS.all.find((one) => one.name === name)
  if (dialect?.neutral === undefined) throw new RangeError(name)
  return { ...dialect, neutral: dialect.neutral }
}

function eventsOf(name: string, stream: string): readonly NeutralEvent[] {
  const reader = dialectOf(name).neutral.readEvents('r')
  return [...reader.feed(Buffer.from(stream)), ...reader.end()]
}

function translationFrom(name: string) {
  const client = dialectOf(name === 'openai-chat' ? 'anthropic' : 'openai-chat')
  const endpoint = client.endpoints.find(({ does }) => does === 'generate')
  if (endpoint === undefined) throw new RangeError(name)
  const body = Buffer.from('{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}')
  const dialect = dialectOf(name)
  const spoken = { dialect, grade: 'translate', instead: dialect } as const
  const call = { endpoint, param: '', url: endpoint.path, headers: {}, body }
  return translate(client, spoken, call, { model: 'm', provider: 'custom' }, FACTS)
}

/** A call whose name is no text, as each dialect has it. */
const CALLS: Readonly<Record<string, (name: unknown) => { readonly whole: object; readonly stream: string }>> = {
  'openai-chat'(name) {
    const call = { index: 0, id: 'a', function: { name, arguments: '{}' } }
    return {
      whole: { choices: [{ message: { tool_calls: [call] }, finish_reason: 'tool_calls' }] },
      stream: `${unnamed(delta({ tool_calls: [call] }), delta({}, 'tool_calls'))}data: [DONE]\n\n`,
    }
  },
  'openai-responses'(name) {
    const item = { type: 'function_call', id: 'f', call_id: 'a', name, arguments: '{}' }
    const response = { status: 'completed', output: [item] }
    return { whole: response, stream: named(['response.completed', { response }]) }
  },
  anthropic(name) {
    const block = { type: 'tool_use', id: 'a', name, input: {} }
    return {
      whole: { content: [block], stop_reason: 'tool_use' },
      stream: named(
        ['message_start', { message: {} }],
        ['content_block_start', { index: 0, content_block: block }],
        ['message_delta', { delta: { stop_reason: 'tool_use' } }],
        ['message_stop', {}],
      ),
    }
  },
  google(name) {
    const whole = { candidates: [{ content: { parts: [{ functionCall: { name } }] }, finishReason: 'STOP' }] }
    return { whole, stream: unnamed(whole) }
  },
  ollama(name) {
    const whole = { message: { tool_calls: [{ function: { name, arguments: {} } }] }, done: true }
    return { whole, stream: `${JSON.stringify(whole)}\n` }
  },
}

const NAMELESS = 'the upstream called a tool without a name'

for (const [name, callOf] of Object.entries(CALLS)) {
  test.each([undefined, null, '', 5])(`a call of ${name} whose name is %j is an error`, (nameless) => {
    const { whole, stream } = callOf(nameless)
    expect(eventsOf(name, stream).at(-1)).toEqual({ kind: 'error', message: NAMELESS })
    expect(() => translationFrom(name).answer(Buffer.from(JSON.stringify(whole)), false)).toThrow(NAMELESS)
    const watch = translationFrom(name).watch(true)
    watch.feed(Buffer.from(stream))
    watch.rest()
    expect(watch.failure()).toBe(NAMELESS)
  })

  test(`a call of ${name} that has a name is one`, () => {
    const { whole, stream } = callOf('look')
    expect(eventsOf(name, stream)).toContainEqual({ kind: 'part', part: expect.objectContaining({ name: 'look' }) })
    expect(String(translationFrom(name).answer(Buffer.from(JSON.stringify(whole)), false))).toContain('"look"')
  })
}

test.each(['a finish reason', '[DONE]', 'nothing'])('a call without a name is an error before %s', (end) => {
  const call = delta({ tool_calls: [{ index: 0, function: { arguments: '{}' } }] })
  const finish = end === 'a finish reason' ? unnamed(delta({}, 'tool_calls')) : ''
  const events = eventsOf('openai-chat', unnamed(call) + finish + (end === '[DONE]' ? 'data: [DONE]\n\n' : ''))
  expect(events.at(-1)).toEqual({ kind: 'error', message: NAMELESS })
})

test('a call that the limit has cut before its name is left out', () => {
  const stream = unnamed(delta({ tool_calls: [{ index: 0, id: 'a', function: {} }] }), delta({}, 'length'))
  expect(eventsOf('openai-chat', stream).at(-1)).toMatchObject({ kind: 'end', finish: 'length' })
})

test('an entry of calls that says nothing is no call', () => {
  const stream = unnamed(delta({ content: 'hi', tool_calls: [{}] }), delta({}, 'stop'))
  expect(eventsOf('openai-chat', stream).at(-1)).toMatchObject({ kind: 'end', finish: 'end' })
})

test('the one call that older engines write is a call, whole and in pieces', () => {
  const stream = unnamed(
    delta({ function_call: { name: 'look', arguments: '' } }),
    delta({ function_call: { arguments: '{"a"' } }),
    delta({ function_call: { arguments: ':1}' } }),
    delta({}, 'function_call'),
  )
  const events = eventsOf('openai-chat', stream)
  expect(events).toContainEqual({ kind: 'part', part: { kind: 'call', id: expect.any(String), name: 'look' } })
  expect(events.flatMap((event) => (event.kind === 'more' ? [event.text] : [])).join('')).toBe('{"a":1}')
  expect(events.at(-1)).toMatchObject({ kind: 'end', finish: 'calls' })
  const message = { content: null, function_call: { name: 'look', arguments: '{"a":1}' } }
  const whole = { id: 'c', choices: [{ message, finish_reason: 'function_call' }] }
  const read = dialectOf('openai-chat').neutral.readAnswer(Buffer.from(JSON.stringify(whole)), 'r')
  expect(read).toMatchObject({ parts: [{ kind: 'call', name: 'look', json: '{"a":1}' }], finish: 'calls' })
})

type Event = readonly [string, object]
const START: Event = ['message_start', { message: {} }]
const REASON: Event = ['message_delta', { delta: { stop_reason: 'end_turn' } }]
const STOP: Event = ['message_stop', {}]
const END = [REASON, STOP]
const blockDelta = (said: object, index = 0): Event => ['content_block_delta', { index, delta: said }]

test.each([
  { said: { type: 'text_delta', text: 'hi' }, kind: 'text' },
  { said: { type: 'thinking_delta', thinking: 'hi' }, kind: 'reasoning' },
])('a block of Anthropic whose beginning has not come is not lost: $kind', ({ said, kind }) => {
  const events = eventsOf('anthropic', named(START, blockDelta(said), blockDelta(said), ...END))
  expect(events.map((event) => (event.kind === 'more' ? event.text : event.kind))).toEqual([
    'begin',
    'part',
    'hi',
    'hi',
    'part-end',
    'end',
  ])
  expect(events).toContainEqual({ kind: 'part', part: { kind } })
})

test('what a call without a beginning is of cannot be known', () => {
  const call = blockDelta({ type: 'input_json_delta', partial_json: '{}' })
  expect(eventsOf('anthropic', named(START, call, ...END)).at(-1)).toEqual({ kind: 'error', message: NAMELESS })
})

test('blocks of tools that the provider runs stay left out', () => {
  const begun = [
    'content_block_start',
    { index: 0, content_block: { type: 'server_tool_use', name: 'search' } },
  ] as const
  const call = blockDelta({ type: 'input_json_delta', partial_json: '{}' })
  const events = eventsOf(
    'anthropic',
    named(START, begun, call, blockDelta({ type: 'text_delta', text: 'hi' }, 1), ...END),
  )
  expect(events.map((event) => event.kind)).toEqual(['begin', 'part', 'more', 'part-end', 'end'])
})

test.each<{ readonly first: Event }>([
  { first: blockDelta({ type: 'text_delta', text: 'hi' }) },
  { first: ['content_block_start', { index: 0, content_block: { type: 'text', text: '' } }] },
  { first: REASON },
  { first: STOP },
])('a message that had not begun passes with one end alone: $first.0', ({ first }) => {
  const watch = dialectOf('anthropic').watch(true)
  const shown = watch.feed(Buffer.from(named(['ping', {}], first, ...END)))
  expect(String(shown)).toBe(named(['ping', {}]))
  expect(watch.garbage?.()).toBe('the upstream went on with a message that had not begun')
  expect([watch.hasContent(), watch.isComplete()]).toEqual([false, false])
})
