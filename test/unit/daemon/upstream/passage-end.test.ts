import { expect, test } from 'vitest'
import { missingIn } from '../../../../daemon/upstream/passage-end.ts'

const PART = 'the upstream sent a part of an answer'
const json = { 'content-type': 'application/json; charset=utf-8' }
const sized = { ...json, 'content-length': '13' }

test.each([
  { headers: json, answer: '{"choices":[]}', missing: null },
  { headers: json, answer: '{"choices":[]}\r\n', missing: null },
  { headers: json, answer: '{"choices":[{', missing: PART },
  { headers: {}, answer: '{"choices":[{', missing: PART },
  { headers: sized, answer: '{"choices":[]}', missing: null },
  { headers: sized, answer: '{"choices":[{{{{', missing: PART },
  { headers: sized, answer: '{"choices":NaN}', missing: null },
  { headers: sized, answer: 'plain', missing: null },
  { headers: { ...sized, 'content-type': 'audio/pcm' }, answer: '{ sound', missing: null },
])('what is missing in $answer with $headers: $missing', ({ headers, answer, missing }) => {
  expect(missingIn(headers, Buffer.from(answer))).toBe(missing)
})
