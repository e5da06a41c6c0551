import { expect, test } from 'vitest'
import { createChallenges } from '../../../../../daemon/auth/passkey/challenges.ts'

let at = 1_000_000
const challenges = createChallenges(Buffer.alloc(32, 1), () => at)
const made = (userId: string | null = null) => Buffer.from(challenges.make(userId)).toString('base64url')

test('a flood of challenges takes away none of those that were made before', () => {
  const first = made()
  for (let n = 0; n < 5_000; n += 1) made()
  expect(challenges.isOpen(first, null)).toBe(true)
})

test('each is used once', () => {
  const text = made()
  expect([challenges.use(text), challenges.use(text), challenges.isOpen(text, null)]).toEqual([true, false, false])
})

test.each<{ name: string; text: () => string; userId: string | null; isOpen: boolean }>([
  { name: 'its person', text: () => made('mara'), userId: 'mara', isOpen: true },
  { name: 'another person', text: () => made('mara'), userId: 'eve', isOpen: false },
  { name: 'a sign-in where it was made to add a passkey', text: () => made('mara'), userId: null, isOpen: false },
  { name: 'adding a passkey where it was made to sign in', text: () => made(), userId: 'mara', isOpen: false },
  { name: 'nobody, with another byte', text: () => `A${made().slice(1)}`, userId: null, isOpen: false },
  { name: 'nobody, with more after it', text: () => `${made()}AAAA`, userId: null, isOpen: false },
  { name: 'nobody where it is empty', text: () => '', userId: null, isOpen: false },
])('one counts for $name: $isOpen', ({ text, userId, isOpen }) => {
  let given = text()
  while (given.startsWith('AA')) given = text()
  expect(challenges.isOpen(given, userId)).toBe(isOpen)
})

test('lasts five minutes', () => {
  const text = made()
  at += 299_999
  expect(challenges.isOpen(text, null)).toBe(true)
  at += 1
  expect(challenges.isOpen(text, null)).toBe(false)
})
