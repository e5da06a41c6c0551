import { expect, test } from 'vitest'
import { DIALECTS } from '../../../../daemon/translate/dialects.ts'

const named = (type: string, data: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
const chunk = (delta: object, finish_reason: string | null) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`

/** A stream of each dialect, and the end of its last frame. */
const STREAMS = {
  'openai-chat': [chunk({ content: 'hi' }, null), chunk({}, 'stop'), 'data: [DONE]\n\n'].join(''),
  'openai-responses': [
    named('response.output_text.delta', { output_index: 0, content_index: 0, delta: 'hi' }),
    named('response.completed', { response: { status: 'completed', output: [] } }),
  ].join(''),
  anthropic: [
    named('message_start', { message: {} }),
    named('content_block_start', { index: 0, content_block: { type: 'text', text: 'hi' } }),
    named('message_delta', { delta: { stop_reason: 'end_turn' } }),
    named('message_stop', {}),
  ].join(''),
  google: `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text: 'hi' }] }, finishReason: 'STOP' }] })}\n\n`,
  ollama: `${JSON.stringify({ message: { content: 'hi' }, done: false })}\n${JSON.stringify({ done: true })}\n`,
} as const
const ALL = Object.entries(STREAMS).map(([name, stream]) => ({ name, stream }))

function readersOf(name: string) {
  const dialect = DIALECTS.all.find((one) => one.name === name && one.neutral !== undefined)
  if (dialect?.neutral === undefined) throw new RangeError(name)
  return { watch: dialect.watch(), reader: dialect.neutral.readEvents('r') }
}

/** Line ends as they may come, all of them or in part. */
const LINE_ENDS = ['\n', '\r\n', '\r'] as const

test.each(ALL)(
  '$name: the last frame counts though its end is missing, and is passed on with one',
  ({ name, stream }) => {
    for (const lineEnd of name === 'ollama' ? LINE_ENDS.slice(0, 2) : LINE_ENDS) {
      const ended = stream.replaceAll('\n', lineEnd)
      const open = ended.trimEnd()
      for (let bytes = open.length; bytes < ended.length; bytes += 1) {
        const { watch, reader } = readersOf(name)
        const sent = Buffer.from(ended.slice(0, bytes))
        let shown = watch.feed(sent).toString('latin1')
        const owed = watch.owed?.() ?? null
        if (owed !== null) shown += watch.feed(owed).toString('latin1')
        expect(shown.startsWith(open)).toBe(true)
        expect(shown.slice(open.length)).toMatch(/^[\r\n]+$/)
        expect([watch.isComplete(), watch.atBoundary(), watch.owed?.() ?? null]).toEqual([true, true, null])

        const events = [...reader.feed(sent)]
        const due = reader.owed?.() ?? null
        if (due !== null) events.push(...reader.feed(due))
        expect(reader.isComplete()).toBe(true)
        expect([...events, ...reader.end()].filter(({ kind }) => kind === 'end' || kind === 'error')).toMatchObject([
          { kind: 'end' },
        ])
      }
    }
  },
)

test.each(ALL)('$name: nothing is owed for a frame that is cut, or where none is open', ({ name, stream }) => {
  for (let bytes = 0; bytes <= stream.length; bytes += 1) {
    const { watch } = readersOf(name)
    watch.feed(Buffer.from(stream.slice(0, bytes)))
    const frame =
      stream
        .slice(0, bytes)
        .split(name === 'ollama' ? '\n' : '\n\n')
        .at(-1)
        ?.trimEnd() ?? ''
    const isWhole = frame.endsWith('}') && isJson(frame.slice(frame.indexOf('{')))
    expect(watch.owed?.() !== null).toBe(isWhole || frame.endsWith('[DONE]'))
  }
})

function isJson(text: string): boolean {
  try {
    return JSON.parse(text) !== null
  } catch {
    return false
  }
}
