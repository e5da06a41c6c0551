import { beforeEach, describe, expect, test } from 'vitest'
import { createHasher, usableHash } from '../../../../../daemon/auth/password/hasher.ts'
import { createPasswords } from '../../../../../daemon/auth/password/passwords.ts'
import type { PasswordHash } from '../../../../../syntax/phc/phc.ts'

/** By argon2(1) of Debian: "correct horse". */
const FOREIGN = '$argon2id$v=19$m=8192,t=3,p=1$c29tZXNhbHRzYWx0$ZW5x5H3DN7zcJ29xcsA8vJYqezfDaTljpKqs6fNC0L0'

let time = 0
const asked: string[] = []
const idOf = (id: string) => () => {
  asked.push(id)
  return id
}
let checked: (readonly PasswordHash[])[] = []
beforeEach(() => {
  time = 0
  checked = []
  asked.length = 0
})

const own = await createHasher().hash('battery staple')

function passwords() {
  const hasher = createHasher()
  const users = new Map([
    ['admin', { userId: idOf('u1'), passwordHash: FOREIGN }],
    ['ada', { userId: idOf('u2'), passwordHash: own }],
  ])
  return createPasswords(
    { named: (name) => users.get(name.toLowerCase()), foreignCost: () => usableHash(FOREIGN) },
    {
      check: (password, hashes) => {
        checked.push(hashes)
        return hasher.check(password, hashes)
      },
    },
    () => time,
  )
}

test.each([
  { name: 'admin', password: 'correct horse', user: 'u1' },
  { name: 'Admin', password: 'correct horse', user: 'u1' },
  { name: 'ada', password: 'battery staple', user: 'u2' },
  { name: 'admin', password: 'battery staple', user: null },
  { name: 'ada', password: 'correct horse', user: null },
  { name: 'ada', password: '', user: null },
  { name: 'eve', password: 'correct horse', user: null },
  { name: '', password: '', user: null },
  { name: 'x'.repeat(10_000), password: 'y'.repeat(100_000), user: null },
])('$name with $password is $user', async ({ name, password, user }) => {
  expect(await passwords().verify(name, password, '192.0.2.1')).toBe(user)
  expect(asked).toEqual(user === null ? [] : [user]) // it may make them: never for a wrong password
})

test('whoever asks, hashes of the same cost are computed', async () => {
  const each = passwords()
  for (const name of ['admin', 'ada', 'eve', 'x'.repeat(1_000)]) await each.verify(name, 'wrong', '192.0.2.1')
  const costs = checked.map((hashes) => hashes.map(({ memoryKib, passes }) => [memoryKib, passes]))
  expect(costs).toHaveLength(4)
  for (const cost of costs)
    expect(cost).toEqual([
      [19_456, 2],
      [8_192, 3],
    ])
})

describe('the limits', () => {
  const fail = (each: ReturnType<typeof passwords>, name: string, address: string) =>
    each.verify(name, 'wrong', address).catch((error: { retryAfterS: number }) => error.retryAfterS)

  test('hold for known and unknown names alike', async () => {
    const seen = await Promise.all(
      ['admin', 'eve'].map(async (name) => {
        const each = passwords()
        const answers = []
        for (let i = 0; i < 13; i++) answers.push(await fail(each, name, `192.0.2.${i}`))
        return answers
      }),
    )
    expect(seen[0]).toEqual(seen[1])
    expect(seen[0]?.slice(-3)).toEqual([null, 1, 1])
  })

  test('of an account keep out no one who has signed in from the same address before', async () => {
    const each = passwords()
    expect(await each.verify('ada', 'battery staple', '192.0.2.99')).toBe('u2')
    for (let i = 0; i < 13; i++) await fail(each, 'ada', `192.0.2.${i}`)
    expect(await fail(each, 'ada', '192.0.2.50')).toBe(1)
    expect(await each.verify('ada', 'battery staple', '192.0.2.99')).toBe('u2')
  })

  test('of an address hold over all names, and a right password does not lift them', async () => {
    const each = passwords()
    let last: number | string | null = null
    for (let i = 0; i < 22; i++) {
      last = await fail(each, `user${i}`, '192.0.2.1')
      if (i === 10) expect(await each.verify('ada', 'battery staple', '192.0.2.1')).toBe('u2')
    }
    expect(last).toBe(1)
  })
})

test('few hashes are computed at once, some wait, and the rest is refused at once', async () => {
  const hasher = createHasher()
  const all = Array.from({ length: 100 }, () => hasher.hash('a password'))
  const refused = all.map((one) =>
    one.then(
      () => 0,
      (error: { retryAfterS: number }) => error.retryAfterS,
    ),
  )
  expect(hasher.load()).toEqual({ running: 4, waiting: 64 })
  expect((await Promise.all(refused)).filter((seconds) => seconds > 0)).toHaveLength(32)
  expect(hasher.load()).toEqual({ running: 0, waiting: 0 })
})

test('each hash has a salt of its own, and costs what it should', async () => {
  const hasher = createHasher()
  const [one, other] = [await hasher.hash('same'), await hasher.hash('same')]
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  expect(one).not.toBe(other)
})

test.each([
  '$argon2id$v=19$m=4096,t=0,p=1$c29tZXNhbHRzYWx0$ZW5x5H3DN7zcJ29xcsA8vJYqezfDaTljpKqs6fNC0L0',
  '$argon2id$v=19$m=9999999,t=3,p=1$c29tZXNhbHRzYWx0$ZW5x5H3DN7zcJ29xcsA8vJYqezfDaTljpKqs6fNC0L0',
  '$argon2id$v=19$m=8192,t=999,p=1$c29tZXNhbHRzYWx0$ZW5x5H3DN7zcJ29xcsA8vJYqezfDaTljpKqs6fNC0L0',
])('a hash that would cost too much, or nothing, is not computed: %s', (text) => {
  expect(usableHash(text)).toBeUndefined()
})
