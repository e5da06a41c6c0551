import { expect, test } from 'vitest'
import type { Identities } from '../../../../daemon/listener/identities.ts'
import { covers, selectIdentity } from '../../../../daemon/listener/selection.ts'

const first = { names: ['ai.example.org', 'www.example.org'] }
const wildcard = { names: ['*.example.org'] }
const other = { names: ['chat.example.org', '192.0.2.7'] }
const all = [first, wildcard, other]

test.each([
  { name: 'no name', asked: null, expected: first },
  { name: 'an exact name', asked: 'www.example.org', expected: first },
  { name: 'an exact name, though a wildcard comes before it', asked: 'chat.example.org', expected: other },
  { name: 'a name of the wildcard', asked: 'new.example.org', expected: wildcard },
  { name: 'two labels, which a wildcard is not for', asked: 'a.b.example.org', expected: first },
  { name: 'the parent of the wildcard', asked: 'example.org', expected: first },
  { name: 'an unknown name', asked: 'example.net', expected: first },
  { name: 'an empty name', asked: '', expected: first },
])('selects by $name', ({ asked, expected }) => {
  expect(selectIdentity(all, asked)).toBe(expected)
})

test('selects nothing of nothing', () => {
  const current: ReturnType<Identities['current']> = []
  expect(selectIdentity(current, 'ai.example.org')).toBeUndefined()
})

test.each([
  { host: 'a.example.org', names: ['*.example.org'], expected: true },
  { host: '.example.org', names: ['*.example.org'], expected: false },
  { host: '*.example.org', names: ['a.example.org'], expected: false },
  { host: 'localhost', names: ['*'], expected: false },
  { host: '192.0.2.7', names: ['192.0.2.7'], expected: true },
  { host: '192.0.2.8', names: ['*.0.2.8'], expected: false },
])('whether $names is for $host: $expected', ({ host, names, expected }) => {
  expect(covers({ names }, host)).toBe(expected)
})
