import { describe, expect, test } from 'vitest'
import { challengeRecord, readName } from '../../../../../daemon/relay/registry/names.ts'

const DOMAIN = 'gate.example.org'

describe('a claimed name', () => {
  test.each([
    { name: 'myserver', expected: { kind: 'label', host: 'myserver.gate.example.org' } },
    { name: 'MyServer', expected: { kind: 'label', host: 'myserver.gate.example.org' } },
    { name: 'my-server.gate.example.org.', expected: { kind: 'label', host: 'my-server.gate.example.org' } },
    { name: '7', expected: { kind: 'label', host: '7.gate.example.org' } },
    { name: 'a'.repeat(63), expected: { kind: 'label' } },
    { name: 'a'.repeat(64), expected: { kind: 'invalid' } },
    { name: '', expected: { kind: 'invalid' } },
    { name: '-a', expected: { kind: 'invalid' } },
    { name: 'a-', expected: { kind: 'invalid' } },
    { name: 'a_b', expected: { kind: 'invalid' } },
    { name: 'a/b', expected: { kind: 'invalid' } },
    { name: 'a\0', expected: { kind: 'invalid' } },
    { name: 'ä', expected: { kind: 'invalid' } },
    { name: 'xn--4ca', expected: { kind: 'invalid' } },
    { name: 'ab--cd', expected: { kind: 'invalid' } },
    { name: 'abcdefghijklmnopqrstuvwxyz234567', expected: { kind: 'invalid' } },
    { name: 'a.b.gate.example.org', expected: { kind: 'invalid' } },
    { name: 'relay', expected: { kind: 'reserved' } },
    { name: 'WWW.gate.example.org', expected: { kind: 'reserved' } },
    { name: '_acme-challenge', expected: { kind: 'reserved' } },
    { name: 'gate.example.org', expected: { kind: 'reserved' } },
    { name: 'example.org', expected: { kind: 'reserved' } },
    { name: 'ai.example.net', expected: { kind: 'domain', host: 'ai.example.net' } },
    { name: 'xn--4ca.example.net', expected: { kind: 'domain' } },
    { name: '192.0.2.1', expected: { kind: 'invalid' } },
    { name: 'a..example.net', expected: { kind: 'invalid' } },
    { name: '*.example.net', expected: { kind: 'invalid' } },
    { name: `${'a.'.repeat(127)}net`, expected: { kind: 'invalid' } },
  ])('$name', ({ name, expected }) => {
    expect(readName(name, DOMAIN)).toMatchObject(expected)
  })
})

describe('the record of a challenge', () => {
  test.each([
    { host: 'myserver.gate.example.org', expected: '_acme-challenge.myserver.gate.example.org' },
    { host: 'a.b.gate.example.org', expected: undefined },
    { host: 'gate.example.org', expected: undefined },
    { host: 'ai.example.net', expected: undefined },
    { host: '_acme-challenge.myserver.gate.example.org', expected: undefined },
    { host: 'myserver.gate.example.org.evil.net', expected: undefined },
  ])('$host', ({ host, expected }) => {
    expect(challengeRecord(host, DOMAIN)).toBe(expected)
  })
})
