import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NeutralMessage, NeutralPart } from '../../../../daemon/translate/neutral.ts'
import { withResultsFirst } from '../../../../daemon/translate/results-first.ts'

const part = fc.oneof(
  fc.string().map((text): NeutralPart => ({ kind: 'text', text })),
  fc.string().map((id): NeutralPart => ({ kind: 'result', id, parts: [], isError: false })),
)
const conversation = fc.array(
  fc.record<NeutralMessage>({
    role: fc.constantFrom('user', 'user', 'system', 'assistant'),
    parts: fc.array(part, { maxLength: 3 }),
  }),
  { maxLength: 12 },
)

/** What is said after each turn of the model, part by part. */
function turns(messages: readonly NeutralMessage[]): NeutralPart[][] {
  const all: NeutralPart[][] = [[]]
  for (const { role, parts } of messages) {
    if (role === 'assistant') all.push([])
    else all.at(-1)?.push(...parts)
  }
  return all
}

test('results come before anything else that is said to the model, all else stays where it was', () => {
  fc.assert(
    fc.property(conversation, (messages) => {
      const isResult = ({ kind }: NeutralPart) => kind === 'result'
      const isSaid = (one: NeutralPart) => !isResult(one)
      const ordered = withResultsFirst(messages)
      expect(turns(ordered)).toEqual(turns(messages).map((turn) => [...turn.filter(isResult), ...turn.filter(isSaid)]))
      const byModel = (all: readonly NeutralMessage[]) => all.filter(({ role }) => role === 'assistant')
      expect(byModel(ordered)).toEqual(byModel(messages))
      expect(withResultsFirst(ordered)).toEqual(ordered)
    }),
  )
})

test('a message of results alone, and one that says something after them, stay as they are', () => {
  const result: NeutralPart = { kind: 'result', id: 'a', parts: [], isError: false }
  const messages: NeutralMessage[] = [
    { role: 'assistant', parts: [] },
    { role: 'user', parts: [result, { kind: 'text', text: 'go on' }] },
    { role: 'system', parts: [{ kind: 'text', text: 'be kind' }] },
    { role: 'assistant', parts: [] },
    { role: 'user', parts: [result] },
  ]
  expect(withResultsFirst(messages)).toEqual(messages)
})
