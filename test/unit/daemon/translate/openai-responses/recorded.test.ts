import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Call, Endpoint } from '../../../../../daemon/translate/call.ts'
import type { JsonRecord } from '../../../../../daemon/translate/json-value.ts'
import { ENDPOINTS } from '../../../../../daemon/translate/openai-responses/endpoint.ts'
import { recordedForm } from '../../../../../daemon/translate/openai-responses/recorded.ts'
import { replayOf } from '../../../../../daemon/translate/openai-responses/replay.ts'
import { GateError } from '../../../../../schemas/words/errors.ts'
import { eventsOf } from '../../../../wire/run.ts'

const endpoint = ENDPOINTS.find(({ path }) => path === '/v1/responses') as Endpoint

function recordOf(asked: object, hold: (bytes: number) => void = () => {}) {
  const body = Buffer.from(JSON.stringify({ model: 'm', input: 'Hi', ...asked }))
  const call: Call = { endpoint, param: '', url: endpoint.path, headers: {}, body }
  const kept: JsonRecord[] = []
  const form = recordedForm(call, { requestId: 'req_1', nowS: 1, hold }, (response) => void kept.push(response))
  return { form, kept }
}

const frame = (type: string, rest: object, number = 90) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: number, ...rest })}\n\n`
const response = { id: 'resp_up', object: 'response', status: 'in_progress', background: false, output: [] }
const item = { id: 'msg_1', type: 'message', status: 'completed', role: 'assistant', content: [] }
const long = (bytes: number) => ({ ...response, instructions: 'x'.repeat(bytes) })
/** A delta that looks as if it had another number. */
const TEXT = '"sequence_number": 7, ü 🙂'
const STREAM =
  frame('response.created', { response }) +
  frame('response.in_progress', { response }) +
  ': ping\n\n' +
  frame('response.output_text.delta', { item_id: 'msg_1', output_index: 0, content_index: 0, delta: TEXT }) +
  frame('response.output_item.done', { output_index: 0, item }) +
  frame('response.completed', { response: { ...response, status: 'completed', output: [item] } })

const told = (events: readonly Buffer[]) => eventsOf(Buffer.concat(events).toString())
const numbersOf = (events: ReturnType<typeof told>) =>
  events.map(({ data }) => (data as { sequence_number: number }).sequence_number)

describe('a response of an upstream', () => {
  test.each([
    { name: 'in the background', asked: { background: true }, begins: ['response.created', 'response.queued'] },
    { name: 'that is streamed', asked: { stream: true }, begins: [] },
  ])('$name is told under an id of its own, with events in a row, wherever it is cut', ({ asked, begins }) => {
    const bytes = Buffer.from(STREAM)
    const whole = recordOf(asked)
    const events = told([...whole.form.begin(), ...whole.form.feed(bytes), ...whole.form.end()])
    const ownBeginning = begins.length > 0 ? begins : ['response.created']
    expect(events.map(({ type }) => type)).toEqual([
      ...ownBeginning,
      'response.in_progress',
      'response.output_text.delta',
      'response.output_item.done',
      'response.completed',
    ])
    expect(numbersOf(events)).toEqual(events.map((_, index) => index))
    expect(events.find(({ type }) => type.endsWith('.delta'))?.data).toMatchObject({ delta: TEXT })
    for (const { data } of events) {
      const { response: said } = data as { response?: object }
      if (said !== undefined) expect(said).toMatchObject({ id: 'resp_1', background: begins.length > 0, store: true })
    }
    expect(whole.kept.at(-1)).toMatchObject({ id: 'resp_1', status: 'completed', output: [item] })
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 12 }), (cuts) => {
        const { form } = recordOf(asked)
        const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length]
        const pieces = at.slice(1).flatMap((end, index) => form.feed(bytes.subarray(at[index], end)))
        expect(told([...recordOf(asked).form.begin(), ...pieces, ...form.end()]).length).toBe(events.length)
      }),
    )
  })

  test.each([
    { name: 'an error event', fed: frame('error', { message: 'no more', code: 'x' }), says: 'no more' },
    { name: 'an end too early', fed: frame('response.created', { response }), says: 'broke off' },
    { name: 'nothing', fed: '', says: 'broke off' },
    {
      name: 'an end that is too long',
      fed: frame('response.completed', { response: long(2 ** 25) }),
      says: '32 MiB',
    },
    { name: 'an event that is too long', fed: `data: ${'x'.repeat(2 ** 25)}\n\n`, says: '32 MiB' },
    { name: 'JSON of something else', fed: '{"object":"list"}', says: 'broke off' },
  ])('with $name has failed, once', ({ fed, says }) => {
    const { form, kept } = recordOf({ background: true })
    const events = told([
      ...form.begin(),
      ...form.feed(Buffer.from(fed)),
      ...form.end(),
      ...form.end(),
      ...form.cancelled(),
    ])
    expect(events.filter(({ type }) => type === 'response.failed').length).toBe(1)
    expect(events.at(-1)?.type).toBe('response.failed')
    expect(kept.at(-1)).toMatchObject({ status: 'failed', error: { message: expect.stringContaining(says) } })
  })

  test('is kept although one event of it is longer than 4 MiB, as far as there is room', () => {
    const end = Buffer.from(frame('response.completed', { response: { ...long(2 ** 23), status: 'completed' } }))
    const feed = (form: ReturnType<typeof recordOf>['form']) => {
      for (let at = 0; at < end.length; at += 2 ** 20) form.feed(end.subarray(at, at + 2 ** 20))
      form.end()
    }
    let held = 0
    const roomy = recordOf({ stream: true }, (bytes) => {
      held += bytes
    })
    feed(roomy.form)
    expect(roomy.kept.at(-1)).toMatchObject({ status: 'completed' })
    expect(held).toBeGreaterThan(2 ** 22)
    const scarce = recordOf({ stream: true }, () => {
      throw new GateError('OVERLOADED', 'no room')
    })
    feed(scarce.form)
    expect(scarce.kept.at(-1)).toMatchObject({
      status: 'failed',
      error: { message: expect.stringContaining('too long') },
    })
  })

  test('holds nothing of its request once it is complete', async () => {
    setFlagsFromString('--expose-gc')
    const collect: () => void = runInNewContext('gc')
    const call: Call = { endpoint, param: '', url: endpoint.path, headers: {}, body: Buffer.from('{"model":"m"}') }

    const facts = { requestId: 'req_1', nowS: 1, hold: () => {} }

    function made() {
      const input = [{ type: 'message' }]
      const form = recordedForm(call, facts, () => void input.length)
      form.feed(Buffer.from(STREAM))
      return { form, input: new WeakRef(input) }
    }

    const { form, input } = made()
    await new Promise(setImmediate) // what a WeakRef was made of stays until the turn ends
    collect()
    expect([form.isDone(), input.deref()]).toEqual([true, undefined])
  })

  test.each([
    { code: 'upstream_failed', shown: 'server_error' },
    { code: 'too_many_requests', shown: 'rate_limit_exceeded' },
  ])('that is refused with $code has failed with $shown', ({ code, shown }) => {
    const { form, kept } = recordOf({ background: true })
    form.begin()
    form.failed(Buffer.from(JSON.stringify({ error: { message: 'no', code } })))
    expect(kept.map(({ status }) => status)).toEqual(['queued', 'failed'])
    expect(kept.at(-1)).toMatchObject({ error: { code: shown, message: 'no' } })
  })

  test('that there is no room for is not shown before its end, and whole it has failed', () => {
    const refuse = () => {
      throw new GateError('TOO_MANY_REQUESTS', 'too much')
    }
    const streamed = recordOf({ background: true }, refuse)
    streamed.form.begin()
    streamed.form.feed(Buffer.from(frame('response.output_item.done', { output_index: 0, item })))
    expect(streamed.form.shown()).toMatchObject({ output: [] })
    const whole = recordOf({ background: true }, refuse)
    whole.form.begin()
    whole.form.feed(Buffer.from('{"object":'))
    expect(whole.kept.at(-1)).toMatchObject({ status: 'failed' })
  })
})

test('a client that has had more events than there are now is told the end', () => {
  const done = { ...response, status: 'completed', output: [item] }
  const all = eventsOf(replayOf(done, -1))
  expect(numbersOf(all)).toEqual(all.map((_, index) => index))
  const late = eventsOf(replayOf(done, 500))
  expect(late).toMatchObject([{ type: 'response.completed', data: { sequence_number: 501 } }])
})
