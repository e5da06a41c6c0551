import { expect, test } from 'vitest'
import { escapeControls, jsonLine } from '../../../../syntax/terminal/log-line.ts'

const codes = [...Array(0xa1).keys(), 0x2027, 0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069, 0xe9, 0xd800, 0x1f600]

test.each(codes.map((code) => ({ code })))(
  'a line with $code is the same text, and shows no control character',
  ({ code }) => {
    const record = {
      time: '2026-01-01T00:00:00.000Z',
      level: 'info',
      message: `a${String.fromCodePoint(code)}b`,
    } as const
    const line = jsonLine(record)
    expect(JSON.parse(line)).toEqual(record)
    expect(line).toBe(escapeControls(JSON.stringify(record)))
    expect(line).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u)
  },
)
