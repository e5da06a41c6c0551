import { expect, test } from 'vitest'
import { createHangupKeys } from '../../../ctl/terminal/hangup-keys.ts'

test.each([
  { typed: ['ls\r'], sent: 'ls\r' },
  { typed: ['~.'], sent: null },
  { typed: ['ls\r', '~', '.'], sent: null },
  { typed: ['a~.'], sent: 'a~.' },
  { typed: ['\r~~.'], sent: '\r~.' },
  { typed: ['\r~a'], sent: '\r~a' },
  { typed: ['\r~\r~.'], sent: null },
  { typed: ['~', '/x\r'], sent: '~/x\r' },
  { typed: ['', 'é'], sent: 'é' },
])('of $typed is sent: $sent', ({ typed, sent }) => {
  const keys = createHangupKeys()
  const parts = typed.map((text) => keys(Buffer.from(text)))
  expect(parts.includes(null) ? null : Buffer.concat(parts.filter((part) => part !== null)).toString()).toBe(sent)
})
