import { expect } from 'vitest'
import type { ReadEvent } from './checks.ts'

type Data = Readonly<Record<string, unknown>>

/**
 * What official clients need of any stream, found by taking out one thing after the other: without it they throw, or
 * lose a part of the answer silently.
 */
export const checkStream: Readonly<Record<string, (events: readonly ReadEvent[]) => void>> = {
  anthropic: checkMessage,
  'openai-chat': checkChunks,
  google: checkContents,
  'openai-responses': checkResponse,
  ollama: checkLines,
}

/** Blocks follow each other, numbered from 0; one event begins the message and one ends it. */
function checkMessage(events: readonly ReadEvent[]): void {
  const shown = events.filter(({ type }) => type !== 'ping')
  let open: number | null = null
  let next = 0
  for (const [at, { type, data }] of shown.entries()) {
    const { index, content_block: block } = data as Data
    expect(type, 'a frame without its event line is dropped').toBe((data as Data)['type'])
    expect(type === 'message_start', 'message_start comes first, and once').toBe(at === 0)
    const isLast = type === 'message_stop' || type === 'error'
    expect(isLast, `${type} at ${at} of ${shown.length}`).toBe(at === shown.length - 1)
    if (type === 'content_block_start') {
      expect(open, 'a block begins inside another').toBeNull()
      expect(index).toBe(next)
      checkBlock(block as Data)
      open = next
      next += 1
    } else if (type === 'content_block_delta') expect(index).toBe(open)
    else if (type === 'content_block_stop') {
      expect(index).toBe(open)
      open = null
    } else if (type === 'message_delta') expect(open, 'a block is left open').toBeNull()
  }
}

/** Clients add to what a block begins with. */
function checkBlock(block: Data): void {
  if (block['type'] === 'text') expect(block['text']).toBe('')
  if (block['type'] === 'thinking') expect(block).toMatchObject({ thinking: '', signature: '' })
  if (block['type'] === 'tool_use') expect(block).toMatchObject({ input: {} })
}

/** Every part has the role and says something; one reason to end, at the end, with the usage; or an error. */
function checkContents(events: readonly ReadEvent[]): void {
  const parts = events.map(({ data }) => data as Data)
  const last = parts.at(-1)
  const isBroken = last !== undefined && 'error' in last
  for (const part of isBroken ? parts.slice(0, -1) : parts) {
    const [candidate] = part['candidates'] as Data[]
    expect(candidate, 'clients take a turn with an empty part for a failed one').toMatchObject({
      content: { role: 'model', parts: { 0: expect.anything() } },
    })
    const isLast = part === last
    expect(candidate?.['finishReason'] !== undefined, 'one reason to end').toBe(isLast)
    expect(part['usageMetadata'] !== undefined).toBe(isLast)
  }
  if (isBroken) expect(last['error']).toMatchObject({ code: expect.any(Number), status: expect.any(String) })
  expect(new Set(parts.slice(0, -1).map(({ responseId: id }) => id)).size, 'one id').toBeLessThanOrEqual(1)
}

/** The last line, and no other, is done and has the counts; or it is an error. */
function checkLines(events: readonly ReadEvent[]): void {
  const lines = events.map(({ data }) => data as Data)
  for (const [at, line] of lines.entries()) {
    const isLast = at === lines.length - 1
    if (isLast && 'error' in line) expect(line['error']).toBeTypeOf('string')
    else expect(line['done'], `line ${at}`).toBe(isLast)
    expect('eval_count' in line).toBe(line['done'] === true)
  }
}

/** One id, the role first, one reason for each answer to end; [DONE] or an error last. */
function checkChunks(events: readonly ReadEvent[]): void {
  const last = events.at(-1)?.data
  const isBroken = typeof last === 'object'
  if (isBroken) expect(last).toHaveProperty('error')
  else expect(last).toBe('[DONE]')
  const chunks = events.slice(0, -1).map(({ data }) => data as Data)
  expect(new Set(chunks.map(({ id }) => id)).size, 'one id').toBe(1)
  const choices = chunks.flatMap(({ choices: all }) => all as Data[])
  expect(choices[0]).toMatchObject({ delta: { role: 'assistant' } })
  const answers = new Set(choices.map(({ index }) => index))
  const ended = choices.filter(({ finish_reason: reason }) => reason !== null).map(({ index }) => index)
  expect(new Set(ended).size, 'one reason to end').toBe(ended.length)
  if (isBroken) expect(ended.length, 'an answer has not ended').toBeLessThan(answers.size)
  else expect(ended.length, 'every answer has ended').toBe(answers.size)
  const calls = choices.flatMap(({ delta }) => ((delta as Data)['tool_calls'] as Data[] | undefined) ?? [])
  const begun: unknown[] = []
  for (const { index, id } of calls) {
    if (id !== undefined) begun.push(index)
    expect(begun.at(-1), 'pieces of a call follow its beginning').toBe(index)
  }
  expect(begun, 'calls are numbered from 0').toEqual(begun.map((_, at) => at))
}

const TERMINAL = new Set(['response.completed', 'response.incomplete', 'response.failed', 'error'])

/** Numbered from 0, one response, items one after the other; what is said piece by piece is said whole at its end. */
function checkResponse(events: readonly ReadEvent[]): void {
  const all = events.map(({ data }) => data as Data)
  expect(all.map((event) => event['sequence_number'])).toEqual(all.map((_, at) => at))
  expect(all.slice(0, 2).map(({ type }) => type)).toEqual(['response.created', 'response.in_progress'])
  expect(new Set(all.flatMap(({ response }) => (response === undefined ? [] : [(response as Data)['id']]))).size).toBe(
    1,
  )
  const done: unknown[] = []
  let open: Data | null = null
  let said = ''
  for (const [at, event] of all.entries()) {
    const type = String(event['type'])
    expect(events[at]?.type, 'a frame without its event line is dropped').toBe(type)
    expect(TERMINAL.has(type), `${type} at ${at} of ${all.length}`).toBe(at === all.length - 1)
    if (type === 'response.output_item.added') {
      expect(open, 'an item begins inside another').toBeNull()
      expect(event['output_index']).toBe(done.length)
      open = event['item'] as Data
    } else if (type === 'response.output_item.done') {
      expect((event['item'] as Data)['id']).toBe(open?.['id'])
      expect(event['output_index']).toBe(done.length)
      done.push(event['item'])
      open = null
    } else if ('item_id' in event) {
      expect(event['item_id']).toBe(open?.['id'])
      expect(event['output_index']).toBe(done.length)
    }
    if (type.endsWith('.delta')) said += event['delta']
    const whole = event['text'] ?? event['refusal'] ?? event['arguments'] ?? event['input']
    if (whole === undefined) continue
    expect(said, `${type} says what was said`).toBe(whole)
    said = ''
  }
  const last = all.at(-1)
  if (last?.['type'] === 'response.completed') expect((last['response'] as Data)['output']).toEqual(done)
}
