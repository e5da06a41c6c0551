import { expect, test } from 'vitest'
import { createLine } from '../../../../daemon/translate/line.ts'

const NONE = { inputTokens: 0, outputTokens: 0, cachedTokens: 0, reasoningTokens: 0 }

/** A text is told so, and the upstream breaks off. @returns what the next one's words are to the client */
function goneOn(said: readonly string[], more: string) {
  const line = createLine()
  const tell = (text: string) =>
    line.next(() => (event) => (event.kind === 'more' ? event.text : ''))({ kind: 'more', text })
  line.next(() => (event) => (event.kind === 'more' ? event.text : ''))({ kind: 'part', part: { kind: 'text' } })
  for (const text of said) tell(text)
  const kept = line.said()
  line.broke(NONE)
  return { kept, shown: tell(more) }
}

test('a text is gone on with, without the space that was told already', () => {
  expect(goneOn(['Hello, '], ' world')).toEqual({ kept: 'Hello,', shown: 'world' })
})

test('a text that is too long is not gone on with, and nothing of it is kept', () => {
  const long = 'x'.repeat(2 ** 20)
  expect(goneOn([long], ' ')).toEqual({ kept: long, shown: ' ' })
  expect(goneOn([long, 'and more '], ' ')).toEqual({ kept: null, shown: ' ' })
  expect(goneOn([long, 'and ', 'more '], ' ')).toEqual({ kept: null, shown: ' ' })
})
