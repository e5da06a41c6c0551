import { expect, test } from 'vitest'
import { relayBackend } from '../../../schemas/config/relay-backend.ts'

const LOCAL = [
  '127.0.0.1:8443',
  '127.8.9.10:1',
  'localhost:443',
  '10.1.2.3:8443',
  '172.16.0.1:8443',
  '172.31.255.255:8443',
  '192.168.1.7:65535',
  '[::1]:8443',
  '[fd00::7]:8443',
  '[fc12:3456::1]:8443',
  'unix:/run/photos/tls.sock',
]
const ELSEWHERE = [
  '203.0.113.7:443',
  '169.254.169.254:80',
  '100.64.0.1:443',
  '172.15.0.1:443',
  '172.32.0.1:443',
  '192.169.0.1:443',
  '0.0.0.0:443',
  '11.0.0.1:443',
  '[2001:db8::1]:443',
  '[fe80::1]:443',
  '[fd00::zz]:443',
  '[::]:443',
  '[::ffff:203.0.113.7]:443',
  'photos.lan:443',
  'localhost.example.net:443',
  '127.0.0.1',
  '127.0.0.1:0',
  '127.0.0.1:65536',
  'unix:run/tls.sock',
  'unix:/run/a b.sock',
  `unix:/${'x'.repeat(107)}`,
  '',
]

test.each([
  ...LOCAL.map((address) => ({ address, isTaken: true })),
  ...ELSEWHERE.map((address) => ({ address, isTaken: false })),
])('visitors are passed on to $address: $isTaken', ({ address, isTaken }) => {
  expect(relayBackend.safeParse({ names: ['photos.example.net'], address }).success).toBe(isTaken)
})
