import { expect, test } from 'vitest'
import { readEntry } from '../../../agent/journal.ts'
import { LONGEST_LINE_BYTES } from '../../../schemas/agent.ts'

const entry = (fields: object) => JSON.stringify({ __REALTIME_TIMESTAMP: '1795200000123456', ...fields })

test.each([
  {
    name: 'an entry of the unit itself',
    line: entry({ MESSAGE: 'ready', PRIORITY: '6', _SYSTEMD_USER_UNIT: 'gate-a.service' }),
    expected: { unit: 'gate-a.service', priority: 6, message: 'ready' },
  },
  {
    name: "the manager's word about it",
    line: entry({ MESSAGE: 'Failed', PRIORITY: '4', USER_UNIT: 'gate-a.service', _SYSTEMD_USER_UNIT: 'init.scope' }),
    expected: { unit: 'gate-a.service', priority: 4, message: 'Failed' },
  },
  {
    name: 'bytes that are no text',
    line: entry({ MESSAGE: [104, 105, 255], PRIORITY: '6', _SYSTEMD_USER_UNIT: 'u' }),
    expected: { unit: 'u', priority: 6, message: 'hi\ufffd' },
  },
  { name: 'no message', line: entry({ MESSAGE: null }), expected: { unit: '', priority: 6, message: '' } },
])('reads $name', ({ line, expected }) => {
  expect(readEntry(line)).toEqual({ time: '2026-11-20T18:40:00.123Z', ...expected })
})

test.each(['-- Boot 1 --', '{}', 'null', '[1]', entry({ MESSAGE: 5 }), entry({ PRIORITY: '9' })])(
  'passes over %s',
  (line) => {
    expect(readEntry(line)).toBeUndefined()
  },
)

test('the longest message fits a line of the protocol', () => {
  const taken = readEntry(entry({ MESSAGE: '\u0001'.repeat(1_000_000) }))
  expect(JSON.stringify(taken).length).toBeLessThan(LONGEST_LINE_BYTES)
})
