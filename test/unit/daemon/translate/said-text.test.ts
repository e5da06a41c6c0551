import { expect, test } from 'vitest'
import type { NeutralPart } from '../../../../daemon/translate/neutral.ts'
import { saidText } from '../../../../daemon/translate/said-text.ts'

const text = (said: string): NeutralPart => ({ kind: 'text', text: said })
const refusal: NeutralPart = { kind: 'refusal', text: 'No.' }
const thought: NeutralPart = { kind: 'reasoning', text: 'hm', signature: null }
const call: NeutralPart = { kind: 'call', id: 'c', name: 'f', json: '{}' }

test.each([
  ['pieces', [text('The sky '), text('is blue.')], 'The sky is blue.'],
  ['a refusal that goes on', [text('Sorry. '), refusal], 'Sorry. No.'],
  ['texts around a call', [text('I will look.'), call, text('Wait.')], 'I will look.\n\nWait.'],
  ['texts around thoughts', [thought, text('A.'), thought, thought, text('B.')], 'A.\n\nB.'],
  ['a call before all', [call, text('A.')], 'A.'],
  ['empty pieces', [text(''), call, text(''), text('A.'), call], 'A.'],
  ['nothing', [call], ''],
])('a turn of the model as one text: %s', (_, parts, whole) => {
  expect(saidText(parts)).toBe(whole)
})
