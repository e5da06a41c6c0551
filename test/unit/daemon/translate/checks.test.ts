import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createVerdicts } from '../../../../daemon/check/verdict.ts'
import { CheckedWatch } from '../../../../daemon/translate/checked-watch.ts'
import { type CheckJson, checksOf } from '../../../../daemon/translate/checks.ts'
import { DIALECTS } from '../../../../daemon/translate/dialects.ts'
import type { NeutralRequest } from '../../../../daemon/translate/neutral.ts'
import { DONE, frame } from '../../../support/fake-upstream.ts'

const [chat] = DIALECTS.all
const { neutral } = chat
const [endpoint] = chat.endpoints
if (neutral === undefined || endpoint === undefined) throw new Error('no dialect')

const schema = { type: 'object', properties: { days: { type: 'integer' } } }
const tools = [{ type: 'function', function: { name: 'look', parameters: schema } }]
const callOf = (more: object) => {
  const body = Buffer.from(JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }], ...more }))
  return { endpoint, param: '', url: endpoint.path, headers: {}, body }
}
const requestOf = (more: object): NeutralRequest => neutral.readRequest(callOf(more))
const form = (type: string) => ({ response_format: { type, json_schema: { name: 'x', schema } } })
const verdictOf = createVerdicts()
const checksFor = (more: object, provider: string, check: CheckJson = verdictOf, calls: 'check' | 'pass' = 'check') => {
  const { name } = provider === 'anthropic' ? { name: 'anthropic' } : chat
  const features = DIALECTS.all.find((dialect) => dialect.name === name)?.neutral?.features(provider)
  if (features === undefined) throw new Error('no features')
  return checksOf(requestOf(more), features, { check, calls, toolName: (tool) => tool })
}

test.each([
  { why: 'text', more: {}, provider: 'vllm' },
  { why: 'tools that are to pass', more: { tools }, provider: 'vllm', calls: 'pass' as const },
  { why: 'JSON that the upstream makes', more: form('json_object'), provider: 'vllm' },
  { why: 'a schema that the upstream makes', more: form('json_schema'), provider: 'vllm' },
  { why: 'a schema that Anthropic makes', more: form('json_schema'), provider: 'anthropic' },
])('nothing is looked at for $why', ({ more, provider, calls }) => {
  expect(checksFor(more, provider, verdictOf, calls)).toBeNull()
})

test.each([
  { why: 'tools', more: { tools }, provider: 'vllm', call: true, answer: false },
  { why: 'JSON asked for in words', more: form('json_object'), provider: 'anthropic', call: false, answer: true },
  { why: 'a schema asked for in words', more: form('json_schema'), provider: 'deepseek', call: false, answer: true },
])('the answer is looked at for $why', ({ more, provider, call, answer }) => {
  const checks = checksFor(more, provider)
  expect({ call: checks?.call !== null, answer: checks?.answer !== null }).toEqual({ call, answer })
})

const STREAM = Buffer.from(
  [
    frame({ role: 'assistant', content: 'I look. ' }),
    ...["{'days", "': '", "3'}"].map((args, at) =>
      frame({ tool_calls: [{ index: 0, ...(at === 0 && { id: 'a' }), function: { name: 'look', arguments: args } }] }),
    ),
    frame({ tool_calls: [{ index: 1, id: 'b', function: { name: 'look', arguments: '{"days":"4"}' } }] }),
    frame({ content: 'Done.' }),
    frame({}, 'tool_calls'),
    DONE,
  ].join(''),
)

/** What a client is shown when the chunks are cut so; what is looked at takes some turns of the event loop. */
async function shownOf(cuts: readonly number[], turns: number): Promise<string> {
  const later: CheckJson = async (question) => {
    for (let turn = 0; turn < turns; turn += 1) await null
    return verdictOf(question)
  }
  const checks = checksFor({ tools }, 'vllm', turns === 0 ? verdictOf : later)
  if (checks === null) throw new Error('nothing is looked at')
  const told = {
    model: 'm',
    requestId: 'r',
    call: callOf({}),
    nowS: 0,
    showsUsage: true,
    showsThinking: true,
    freeform: new Set<string>(),
  }
  const watch = new CheckedWatch(
    checks,
    neutral?.readEvents('r') ?? expect.unreachable(),
    neutral?.writeEvents({ ...told, elapsedNs: () => 0 }) ?? expect.unreachable(),
    { requestId: 'r', inputTokens: () => 1, end: (said) => said, toolName: (name) => name },
  )
  const at = [0, ...cuts.toSorted((a, b) => a - b), STREAM.length]
  let shown = ''
  for (const [index, end] of at.slice(1).entries()) {
    shown += watch.feed(STREAM.subarray(at[index], end)).toString()
    // now and then, more comes while something is looked at
    if (index % 2 === 0) for (let p = watch.later(); p !== null; p = watch.later()) shown += (await p).toString()
  }
  for (let p = watch.later(); p !== null; p = watch.later()) shown += (await p).toString()
  expect({ isDone: watch.isDone(), failure: watch.failure() }).toEqual({ isDone: true, failure: null })
  return shown
}

test('nothing changes when the chunks are cut elsewhere, or it takes longer to look at them', async () => {
  const whole = await shownOf([], 0)
  const args = [...whole.matchAll(/"arguments":"((?:[^"\\]|\\.)+)"/g)].map(([, json]) => json)
  expect(args).toEqual(['{\\"days\\":3}', '{\\"days\\":4}'])
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.integer({ min: 1, max: STREAM.length - 1 }), { maxLength: 9 }),
      fc.integer({ min: 0, max: 3 }),
      async (cuts, turns) => {
        expect(await shownOf(cuts, turns)).toBe(whole)
      },
    ),
    { numRuns: 60 },
  )
})
