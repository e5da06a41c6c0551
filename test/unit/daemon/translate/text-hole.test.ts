import { expect, test } from 'vitest'
import { DIALECTS } from '../../../../daemon/translate/dialects.ts'
import { textFrame } from '../../../../daemon/translate/text-frame.ts'
import { TextHole } from '../../../../daemon/translate/text-hole.ts'

const latin1 = (text: string) => Buffer.from(text).toString('latin1')
const chunk = (content: string) =>
  latin1(`{"id":"c","choices":[{"delta":{"content":${content}},"finish_reason":null}]}`)

test.each([
  { name: 'plain text', content: '"b c"', expected: 'b c' },
  { name: 'no text', content: '""', expected: '' },
  { name: 'escapes', content: String.raw`"a\"\\\nb\u00e9"`, expected: 'a"\\\nbé' },
  { name: 'letters beyond ASCII', content: '"é漢😀"', expected: 'é漢😀' },
  { name: 'half of a pair', content: String.raw`"\ud83d"`, expected: '\ud83d' },
  { name: 'another member that follows', content: '"a","role":"b"', expected: null },
  { name: 'a text that is not closed', content: String.raw`"a\"`, expected: null },
  { name: 'a control character', content: '"a\u0001"', expected: null },
  { name: 'another value', content: 'null', expected: null },
])('reads a frame that differs in its text alone: $name', ({ content, expected }) => {
  const hole = new TextHole()
  expect(hole.textOf(chunk('"a"'), '')).toBeNull()
  hole.learn(chunk('"learned"'), '', 'learned')
  expect(hole.textOf(chunk(content), '')).toBe(expected)
  expect(hole.textOf(chunk('"a"'), 'another type')).toBeNull()
  expect(hole.textOf(chunk('"a"').replace('"c"', '"d"'), '')).toBeNull()
  expect(hole.textOf(chunk('"a"').replace('null', '"stop"'), '')).toBeNull()
})

test.each([
  { name: 'is there twice', data: '{"id":"a","content":"a"}' },
  { name: 'is written in another way', data: String.raw`{"content":"\u0061"}` },
])('learns nothing from a frame whose text $name', ({ data }) => {
  const hole = new TextHole()
  hole.learn(data, '', 'a')
  expect(hole.textOf(data, '')).toBeNull()
})

/** Frames that a hole may be seen in, and what else comes between them. */
const DELTAS = [
  { content: 'one ' },
  { content: 'two ' },
  { content: '' },
  { content: 'three "\n' },
  { reasoning_content: 'hm' },
  { reasoning_content: 'hm hm' },
  { content: 'four' },
  { content: 'five' },
  { tool_calls: [{ index: 0, id: 'c1', function: { name: 'f', arguments: '' } }] },
  { tool_calls: [{ index: 0, function: { arguments: '{"a' } }] },
  { tool_calls: [{ index: 0, function: { arguments: '":1' } }] },
  { tool_calls: [{ index: 0, function: { arguments: '}' } }] },
  { tool_calls: [{ index: 1, id: 'c2', function: { name: 'g', arguments: '{}' } }] },
  { tool_calls: [{ index: 0, function: { arguments: ' ' } }] },
  { tool_calls: [{ index: 1, function: { arguments: ' ' } }] },
  { content: 'six' },
  { content: 'seven' },
]

/** @param isSame whether the frames have all but their text in common */
function readAll(isSame: boolean) {
  const reader = DIALECTS.all[0].neutral?.readEvents('r1')
  const frames = DELTAS.map((delta, number) => {
    const choices = [{ index: 0, delta, finish_reason: null }]
    return `data: ${JSON.stringify({ id: 'c', model: 'm', choices, ...(!isSame && { number }) })}\n\n`
  })
  return frames.flatMap((frame) => reader?.feed(Buffer.from(frame)) ?? [])
}

test('frames that are compared say what frames that are parsed say', () => {
  const events = readAll(true)
  expect(events).toEqual(readAll(false))
  expect(events.filter(({ kind }) => kind === 'more').length).toBeGreaterThan(8)
})

test.each(['a', '', 'a "quoted" \n é😀 \ud83d'])('writes a frame around %j', (text) => {
  const write = textFrame('data: {"id":"","delta":{"text":""},"logprobs":[]}\n\n')
  expect(write(text)).toBe(`data: ${JSON.stringify({ id: '', delta: { text }, logprobs: [] })}\n\n`)
})
