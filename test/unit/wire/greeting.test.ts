import { expect, test } from 'vitest'
import { greetingReader } from '../../../wire/greeting.ts'
import { captureHello } from '../../support/client-hello.ts'

test.each([
  { text: 'GET / HTTP/1.1\r\n', kind: 'http' },
  { text: 'CONNECT a:1 HTTP/1.1\r\n', kind: 'http' },
  { text: 'PRI * HTTP/2.0\r\n', kind: 'http' },
  { text: 'SSH-2.0-x\r\n', kind: 'refused', isTls: false },
  { text: '\x16\x03\x01\x00\x04\x02\x00\x00\x00', kind: 'refused', isTls: true },
])('$text is $kind', ({ text, ...found }) => {
  expect(greetingReader()(Buffer.from(text, 'latin1'))).toEqual({ found, used: 0 })
})

test('a ClientHello is known when all of it has come, and stays where it is', async () => {
  const hello = await captureHello({ servername: 'gate.example.org' })
  const read = greetingReader()
  expect(read(hello.subarray(0, 40))).toBe(undefined)
  expect(read(hello.subarray(40))).toMatchObject({
    used: 0,
    found: { kind: 'hello', hello: { name: 'gate.example.org' } },
  })
})
