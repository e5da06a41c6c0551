import { expect, test } from 'vitest'
import { answerId } from '../../../../daemon/translate/answer-id.ts'

test.each([
  { kind: 'msg_', id: 'chatcmpl-AbC_1', is: 'msg_AbC_1' },
  { kind: 'msg_', id: 'msg_01X', is: 'msg_01X' },
  { kind: 'msg_', id: 'req_0m2', is: 'msg_0m2' },
  { kind: 'chatcmpl-', id: 'msg_01X', is: 'chatcmpl-01X' },
  { kind: 'chatcmpl-', id: 'resp_6f', is: 'chatcmpl-6f' },
  { kind: 'chatcmpl-', id: 'gen-17', is: 'chatcmpl-17' },
  { kind: 'msg_', id: 'a b"\n', is: 'msg_a_b__' },
])('$id is told as $is', ({ kind, id, is }) => {
  expect(answerId(kind, id)).toBe(is)
  expect(answerId(kind, answerId(kind, id))).toBe(is)
})
