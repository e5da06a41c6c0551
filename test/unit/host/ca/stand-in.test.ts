import { expect, test } from 'vitest'
import { namesServed, standIn, withStandIns } from '../../../../host/ca/stand-in.ts'
import { matchesKey } from '../../../../pki/certificate.ts'

test.each([
  { text: 'ssl_certificate /var/lib/gate-ca/proxy.crt;', expected: 'ssl_certificate /scratch/proxy.crt;' },
  {
    text: 'tls /var/lib/gate-lab-ca/proxy.crt /var/lib/gate-lab-ca/proxy.key',
    expected: 'tls /scratch/proxy.crt /scratch/proxy.key',
  },
  { text: 'alias /var/lib/gate-ca/ca.crt;', expected: 'alias /var/lib/gate-ca/ca.crt;' },
  { text: 'ssl_certificate /etc/own/proxy.crt;', expected: 'ssl_certificate /etc/own/proxy.crt;' },
  {
    text: 'ssl_certificate /var/lib/gate-ca/proxy.crt.old;',
    expected: 'ssl_certificate /var/lib/gate-ca/proxy.crt.old;',
  },
])('$text is checked as $expected', ({ text, expected }) => {
  expect(withStandIns(text, '/scratch')).toBe(expected)
  expect(namesServed(text)).toBe(text !== expected)
})

test('what stands in is a certificate with its key', async () => {
  const { cert, key } = await standIn(Date.now())
  expect(matchesKey(cert, key)).toBe(true)
})
