import { expect, test } from 'vitest'
import { passwordHashText, readPasswordHash } from '../../../../syntax/phc/phc.ts'

/** By argon2(1) of Debian: "correct horse", salt "somesaltsalt", -id -t 3 -k 8192 -p 1 -l 32. */
const FOREIGN = '$argon2id$v=19$m=8192,t=3,p=1$c29tZXNhbHRzYWx0$ZW5x5H3DN7zcJ29xcsA8vJYqezfDaTljpKqs6fNC0L0'

test('reads what another program wrote, and writes it back', () => {
  const hash = readPasswordHash(FOREIGN)
  expect(hash).toMatchObject({ memoryKib: 8192, passes: 3, lanes: 1, salt: Buffer.from('somesaltsalt') })
  expect(hash === undefined ? '' : passwordHashText(hash)).toBe(FOREIGN)
})

test.each([
  '',
  '$argon2id$',
  FOREIGN.replace('argon2id', 'argon2i'),
  FOREIGN.replace('v=19', 'v=16'),
  FOREIGN.replace('m=8192', 'm=99999999'),
  FOREIGN.replace('c29tZXNhbHRzYWx0', 'short'),
  `${FOREIGN}\n`,
  `${FOREIGN}=`,
  '$2b$12$KIXQ0q1Jr4QGm1rZ4vZ0Ze9Zq2l1mYw5dW6y3oWwV1Q0rT5g5l5yK',
])('takes nothing else: %j', (text) => {
  expect(readPasswordHash(text)).toBeUndefined()
})
