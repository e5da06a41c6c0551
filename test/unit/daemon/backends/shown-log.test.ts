import { expect, test } from 'vitest'
import { shownLog } from '../../../../daemon/backends/shown-log.ts'

test.each([
  { name: 'a key that the daemon presents', line: 'got own-secret-key here', shown: 'got [hidden] here' },
  { name: 'an assigned key', line: 'api_key=abc123 port=80', shown: 'api_key=[hidden] port=80' },
  { name: 'a key in JSON', line: '{"token": "abc"}', shown: '{"token": "[hidden]"}' },
  { name: 'a header', line: 'Authorization: Bearer abc.def', shown: 'Authorization: Bearer [hidden]' },
  { name: 'a key by its form', line: 'using hf_abcdefghijk', shown: 'using [hidden]' },
  { name: 'control characters', line: 'a\u001b[2Jb\nc', shown: 'a [2Jb c' },
  {
    name: 'an ordinary line',
    line: 'error: model not found at /models/x',
    shown: 'error: model not found at /models/x',
  },
])('$name', ({ line, shown }) => {
  expect(shownLog([line], ['own-secret-key'], 5)).toEqual([shown])
})

test('it is bounded in lines and in their length', () => {
  const lines = Array.from({ length: 100 }, (_, i) => `${i} ${'x'.repeat(10_000)}`)
  const shown = shownLog(lines, [], 20)
  expect(shown.length).toBe(20)
  expect(shown[0]?.startsWith('80 ')).toBe(true)
  expect(Math.max(...shown.map(({ length }) => length))).toBeLessThanOrEqual(301)
})
