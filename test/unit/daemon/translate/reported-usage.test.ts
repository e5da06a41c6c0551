import { expect, test } from 'vitest'
import { DIALECTS } from '../../../../daemon/translate/dialects.ts'
import type { Usage } from '../../../../daemon/translate/neutral.ts'

type Said = Readonly<Record<string, unknown>>

const named = (type: string, data: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
const unnamed = (...events: readonly object[]) => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')

/** An answer of each dialect, whole and as a stream, that reports what it read and said. */
const ANSWERS: Readonly<Record<string, (read: unknown, said: unknown) => { whole: object; stream: string }>> = {
  'openai-chat'(read, said) {
    const usage = { prompt_tokens: read, completion_tokens: said }
    const choice = { index: 0, finish_reason: 'stop' }
    return {
      whole: { choices: [{ ...choice, message: { content: 'hi' } }], usage },
      stream: `${unnamed({ choices: [{ ...choice, delta: { content: 'hi' } }] }, { choices: [], usage })}data: [DONE]\n\n`,
    }
  },
  'openai-responses'(read, said) {
    const output = [{ type: 'message', id: 'i', content: [{ type: 'output_text', text: 'hi' }] }]
    const response = { status: 'completed', output, usage: { input_tokens: read, output_tokens: said } }
    return { whole: response, stream: named('response.completed', { response }) }
  },
  anthropic(read, said) {
    const usage = { input_tokens: read, output_tokens: said }
    const content = [{ type: 'text', text: 'hi' }]
    return {
      whole: { content, stop_reason: 'end_turn', usage },
      stream: [
        named('message_start', { message: { usage } }),
        named('content_block_start', { index: 0, content_block: { type: 'text', text: 'hi' } }),
        named('message_delta', { delta: { stop_reason: 'end_turn' }, usage }),
        named('message_stop', {}),
      ].join(''),
    }
  },
  google(read, said) {
    const usageMetadata = { promptTokenCount: read, candidatesTokenCount: said }
    const whole = { candidates: [{ content: { parts: [{ text: 'hi' }] }, finishReason: 'STOP' }], usageMetadata }
    return { whole, stream: unnamed(whole) }
  },
  ollama(read, said) {
    const whole = { message: { content: 'hi' }, done: true, prompt_eval_count: read, eval_count: said }
    return { whole, stream: `${JSON.stringify(whole)}\n` }
  },
}

/** What each reader of a dialect takes for reported. */
function readIn(name: string, { whole, stream }: { readonly whole: object; readonly stream: string }) {
  const dialect = DIALECTS.all.find((one) => one.name === name)
  if (dialect?.neutral === undefined) throw new RangeError(name)
  const bytes = Buffer.from(JSON.stringify(whole))
  const watch = dialect.watch()
  watch.feed(Buffer.from(stream))
  const reader = dialect.neutral.readEvents('r')
  const end = [...reader.feed(Buffer.from(stream)), ...reader.end()].find((event) => event.kind === 'end')
  const counts = (usage: Usage | null | undefined): Said | null | undefined =>
    usage && { read: usage.inputTokens, said: usage.outputTokens }
  return {
    whole: counts(dialect.usageOf(bytes)),
    stream: counts(watch.usage()),
    wholeTranslated: counts(dialect.neutral.readAnswer(bytes, 'r').usage),
    streamTranslated: counts(end?.usage),
  }
}

const all = <Value>(value: Value) => ({
  whole: value,
  stream: value,
  wholeTranslated: value,
  streamTranslated: value,
})

const NONSENSE = [null, -5, '12', 1e300, 1.5, {}]

for (const [name, answerOf] of Object.entries(ANSWERS)) {
  test(`usage that ${name} reports is taken`, () => {
    expect(readIn(name, answerOf(7, 3))).toEqual(all({ read: 7, said: 3 }))
    expect(readIn(name, answerOf(7, 0))).toEqual(all({ read: 7, said: 0 }))
  })

  test.each(NONSENSE)(`usage of ${name} is not reported where one of it is %j`, (nonsense) => {
    expect(readIn(name, answerOf(nonsense, 3)), 'read').toEqual(all(null))
    expect(readIn(name, answerOf(7, nonsense)), 'said').toEqual(all(null))
  })
}

test('an older Ollama leaves out what a cache held', () => {
  const answer = ANSWERS['ollama']?.(undefined, 3)
  expect(answer && readIn('ollama', answer)).toEqual(all({ read: 0, said: 3 }))
})
