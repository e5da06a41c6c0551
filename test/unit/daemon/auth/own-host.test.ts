import { expect, test } from 'vitest'
import { isOwnHost } from '../../../../daemon/auth/own-host.ts'

const NAMES = { externalHost: 'ai.example.org', allowed: new Set(['gate.lan']), tailnets: ['tail1234.ts.net'] }

test.each([
  { header: '127.0.0.1:3000', isOwn: true },
  { header: '192.168.1.7', isOwn: true },
  { header: '[::1]:3000', isOwn: true },
  { header: '[fd00::7]', isOwn: true },
  { header: 'localhost:3000', isOwn: true },
  { header: 'AI.example.org', isOwn: true },
  { header: 'gate.lan:3000', isOwn: true },
  { header: 'box.tail1234.ts.net', isOwn: true },
  { header: 'evil.example', isOwn: false },
  { header: 'ai.example.org.evil.example', isOwn: false },
  { header: 'localhost.evil.example', isOwn: false },
  { header: '127.0.0.1.evil.example', isOwn: false },
  { header: 'eviltail1234.ts.net', isOwn: false },
  { header: '', isOwn: false },
  { header: undefined, isOwn: false },
])('S13: $header is of the gateway: $isOwn', ({ header, isOwn }) => {
  expect(isOwnHost(header, NAMES)).toBe(isOwn)
})
