import { expect, test } from 'vitest'
import { anthropic } from '../../../../daemon/translate/anthropic/dialect.ts'
import type { Dialect } from '../../../../daemon/translate/dialect.ts'
import { openAiResponses } from '../../../../daemon/translate/openai-responses/dialect.ts'
import { probesOf } from '../../../../daemon/translate/probing.ts'
import { CASES } from '../../../wire/cases.ts'
import { answerBytes } from '../../../wire/run.ts'

// What an engine is found to lack: in streams that are as they should be, in those that llama.cpp was recorded with,
// and in the former when one thing after the other is taken out.

type Kind = 'text' | 'call'

function judge(dialect: Dialect, kind: Kind, stream: string): readonly string[] | null {
  const [probe] = probesOf([dialect])
  const question = probe?.questions[kind === 'text' ? 0 : 1]
  if (question === undefined) throw new Error(`${dialect.name} is not probed`)
  return question.faultsOf(Buffer.from(stream))
}

const frames = (events: readonly { readonly type: string }[]) =>
  events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')

const usage = { input_tokens: 9, output_tokens: 4 }
const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], usage }
const block = { type: 'text', text: '' }
const tool = { type: 'tool_use', id: 'call_1', name: 'start', input: {} }
const messageOf = (start: object, delta: object, reason: string) => [
  { type: 'message_start', message },
  { type: 'content_block_start', index: 0, content_block: start },
  { type: 'content_block_delta', index: 0, delta },
  { type: 'content_block_stop', index: 0 },
  { type: 'message_delta', delta: { stop_reason: reason, stop_sequence: null }, usage },
  { type: 'message_stop' },
]
const MESSAGE = messageOf(block, { type: 'text_delta', text: '1, 2' }, 'max_tokens')
const CALLING_MESSAGE = messageOf(tool, { type: 'input_json_delta', partial_json: '{}' }, 'tool_use')

const response = { id: 'resp_1', object: 'response', created_at: 1, status: 'in_progress', model: 'm', output: [] }
const place = { item_id: 'msg_1', output_index: 0, content_index: 0 }
const text = { type: 'output_text', text: '1, 2', annotations: [] }
const item = { id: 'msg_1', type: 'message', role: 'assistant', status: 'incomplete', content: [text] }
const ended = { ...response, status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, usage }
const RESPONSE = [
  { type: 'response.created', response },
  { type: 'response.output_item.added', output_index: 0, item: { ...item, content: [] } },
  { type: 'response.content_part.added', ...place, part: { ...text, text: '' } },
  { type: 'response.output_text.delta', ...place, delta: '1, 2' },
  { type: 'response.output_text.done', ...place, text: '1, 2' },
  { type: 'response.content_part.done', ...place, part: text },
  { type: 'response.output_item.done', output_index: 0, item },
  { type: 'response.incomplete', response: { ...ended, output: [item] } },
]
const call = {
  id: 'fc_1',
  type: 'function_call',
  call_id: 'call_1',
  name: 'start',
  arguments: '{}',
  status: 'completed',
}
const ofCall = { item_id: 'fc_1', output_index: 0 }
const CALLING_RESPONSE = [
  { type: 'response.created', response },
  { type: 'response.output_item.added', output_index: 0, item: { ...call, arguments: '' } },
  { type: 'response.function_call_arguments.delta', ...ofCall, delta: '{}' },
  { type: 'response.function_call_arguments.done', ...ofCall, arguments: '{}' },
  { type: 'response.output_item.done', output_index: 0, item: call },
  { type: 'response.completed', response: { ...response, status: 'completed', output: [call], usage } },
]

const WHOLE: readonly { dialect: Dialect; kind: Kind; events: readonly { readonly type: string }[] }[] = [
  { dialect: anthropic, kind: 'text', events: MESSAGE },
  { dialect: anthropic, kind: 'call', events: CALLING_MESSAGE },
  { dialect: openAiResponses, kind: 'text', events: RESPONSE },
  { dialect: openAiResponses, kind: 'call', events: CALLING_RESPONSE },
]

test.each(WHOLE)('nothing is wrong with a stream of $dialect.name that has everything: $kind', (one) => {
  expect(judge(one.dialect, one.kind, frames(one.events))).toEqual([])
})

test.each<{ dialect: Dialect; kind: Kind; at: number; without: string }>([
  { dialect: anthropic, kind: 'text', at: 0, without: 'message.usage' },
  { dialect: anthropic, kind: 'text', at: 0, without: 'message.content' },
  { dialect: anthropic, kind: 'text', at: 1, without: 'content_block.text' },
  { dialect: anthropic, kind: 'text', at: 3, without: '' },
  { dialect: anthropic, kind: 'text', at: 5, without: '' },
  { dialect: anthropic, kind: 'call', at: 1, without: 'content_block.input' },
  { dialect: openAiResponses, kind: 'text', at: 0, without: 'response.id' },
  { dialect: openAiResponses, kind: 'text', at: 0, without: 'response.created_at' },
  { dialect: openAiResponses, kind: 'text', at: 1, without: 'output_index' },
  { dialect: openAiResponses, kind: 'text', at: 2, without: 'part' },
  { dialect: openAiResponses, kind: 'text', at: 3, without: 'output_index' },
  { dialect: openAiResponses, kind: 'text', at: 3, without: 'content_index' },
  { dialect: openAiResponses, kind: 'text', at: 3, without: 'item_id' },
  { dialect: openAiResponses, kind: 'text', at: 4, without: 'text' },
  { dialect: openAiResponses, kind: 'text', at: 6, without: 'output_index' },
  { dialect: openAiResponses, kind: 'text', at: 7, without: 'response.usage' },
  { dialect: openAiResponses, kind: 'call', at: 3, without: '' },
])('a $kind of $dialect.name without event $at, or "$without" of it, is worth a repair', (one) => {
  const events = WHOLE.find(({ dialect, kind }) => dialect === one.dialect && kind === one.kind)?.events ?? []
  const changed =
    one.without === '' ? events.toSpliced(one.at, 1) : events.with(one.at, lacking(events[one.at], one.without))
  expect(judge(one.dialect, one.kind, frames(changed))?.length).toBeGreaterThan(0)
})

function lacking(event: object | undefined, path: string): { readonly type: string } {
  const copy = structuredClone(event) as Record<string, unknown> & { readonly type: string }
  const [first = '', second] = path.split('.')
  const holder = second === undefined ? copy : (copy[first] as Record<string, unknown>)
  delete holder[second ?? first]
  return copy
}

test.each<{ name: string; dialect: Dialect; kind: Kind; stream: string; faults: readonly string[] | null }>([
  {
    name: 'without event lines',
    dialect: anthropic,
    kind: 'text',
    stream: frames(MESSAGE).replaceAll(/^event: .*\n/gm, ''),
    faults: ['events without their name'],
  },
  {
    name: 'whose limit is not told',
    dialect: anthropic,
    kind: 'text',
    stream: frames(MESSAGE).replace('"max_tokens"', '"end_turn"'),
    faults: ['an answer that was cut is called complete'],
  },
  {
    name: 'that says nothing',
    dialect: anthropic,
    kind: 'text',
    stream: frames(MESSAGE.filter(({ type }) => !type.startsWith('content_block'))),
    faults: ['nothing was said'],
  },
  {
    name: 'that calls no tool',
    dialect: openAiResponses,
    kind: 'call',
    stream: frames(RESPONSE),
    faults: ['a tool that had to be called was not'],
  },
  {
    name: 'that breaks off',
    dialect: openAiResponses,
    kind: 'text',
    stream: frames(RESPONSE.slice(0, 5)),
    faults: null,
  },
  { name: 'of another dialect', dialect: openAiResponses, kind: 'text', stream: frames(MESSAGE), faults: null },
  { name: 'that is none', dialect: anthropic, kind: 'text', stream: '<html>', faults: null },
  {
    name: 'that reports an error',
    dialect: anthropic,
    kind: 'text',
    stream: 'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"no"}}\n\n',
    faults: null,
  },
])('a stream $name: $faults', ({ dialect, kind, stream, faults }) => {
  expect(judge(dialect, kind, stream)).toEqual(faults)
})

test.each<{ dialect: Dialect; title: string; kind: Kind; fault: string }>([
  { dialect: anthropic, title: 'engine-call', kind: 'call', fault: 'tool_use blocks without input' },
  { dialect: anthropic, title: 'engine-thinking', kind: 'text', fault: 'blocks that begin inside another' },
  {
    dialect: openAiResponses,
    title: 'engine-text',
    kind: 'text',
    fault: 'response.output_item.added without output_index',
  },
  {
    dialect: openAiResponses,
    title: 'engine-call',
    kind: 'call',
    fault: 'calls without response.function_call_arguments.done',
  },
])('llama.cpp is found to have: $fault', ({ dialect, title, kind, fault }) => {
  const recorded = CASES.find(({ name }) => name === `${dialect.name}/${dialect.name}/${title}`)
  if (recorded === undefined) throw new Error('no such case')
  expect(judge(dialect, kind, answerBytes(recorded).toString())).toContain(fault)
})
