import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { accessTokens, stretched, tokenKey } from '../../../../../daemon/auth/device/access-token.ts'
import type { SignIn } from '../../../../../daemon/auth/device/sign-in.ts'
import { createSignIns } from '../../../../../daemon/auth/device/sign-ins.ts'
import { ANYBODY, type Principal } from '../../../../../daemon/auth/principal.ts'
import type { Scope } from '../../../../../schemas/words/scopes.ts'
import { witnessOf } from '../../../../../system/token-witness.ts'

const SECRET = 'a secret of the tests, as long as random ones'
let at = 0
let rows: Map<string, SignIn>
let disabled: Set<string>
let ended: string[]
let isFull = false
let signIns: ReturnType<typeof signInsOf>

const kept = new Map<string, Principal>()
function principalOf(userId: string): Principal {
  const scopes = new Set<Scope>(['chat:read', 'chat:write'])
  const known = kept.get(userId) ?? { ...ANYBODY, userId, name: userId, scopes }
  kept.set(userId, known)
  return known
}

function signInsOf(secret = SECRET) {
  const store = {
    all: () => [...rows.values()],
    put: (row: SignIn) => void rows.set(row.id, row),
    remove: (id: string) => {
      if (isFull) throw new Error('the disk is full')
      rows.delete(id)
    },
  }
  const people = {
    principalOf: (userId: string): Principal | null => (disabled.has(userId) ? null : principalOf(userId)),
    emailOf: (userId: string) => `${userId}@example.org`,
  }
  const made = createSignIns(store, people, { secret, issuer: 'gate' }, () => at)
  made.whenEnded((id, why) => ended.push(`${id} ${why}`))
  return made
}

function begin(userId = 'mara', scope: string | null = null) {
  const answer = signIns.begin(userId, null, 'gatectl', scope)
  if (answer === null) throw new Error('refused')
  return answer
}

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

beforeEach(() => {
  at = 1_700_000_000_000
  rows = new Map()
  disabled = new Set()
  ended = []
  isFull = false
  signIns = signInsOf()
})

describe('an access token', () => {
  test('stands for the person for an hour, and not a second longer', () => {
    const { access_token: token, expires_in: life } = begin()
    expect(life).toBe(3_600)
    at += 3_599_000
    expect(signIns.find(token)).toMatchObject({ userId: 'mara' })
    at += 1_000
    expect(() => signIns.find(token)).toThrow('it has expired; refresh it')
  })

  test('stands for the same principal each time, as what is computed from that is kept beside it', () => {
    const { access_token: token } = begin()
    expect(signIns.find(token)).toBe(signIns.find(token))
  })

  test('holds after a restart', () => {
    const { access_token: token } = begin()
    expect(signInsOf().find(token)).toMatchObject({ userId: 'mara' })
  })

  test('counts for no more than was asked for', () => {
    expect([...(signIns.find(begin('mara', 'chat:read unknown').access_token)?.scopes ?? [])]).toEqual(['chat:read'])
  })

  test('does not count once its sign-in has ended, and tells clients not to try again', () => {
    const { access_token: token } = begin()
    signIns.end(claimsOf(token).sid, null)
    expect(() => signIns.find(token)).toThrow(
      expect.objectContaining({ code: 'INVALID_KEY', headers: { 'x-should-retry': 'false' } }),
    )
    expect(ended).toEqual([`${claimsOf(token).sid} revoked`])
    expect(rows.size).toBe(0)
  })

  test('does not count while the person is disabled', () => {
    const { access_token: token } = begin()
    signIns.find(token)
    disabled.add('mara')
    expect(() => signIns.find(token)).toThrow('sign in again')
  })

  test('does not count under another secret', () => {
    const { access_token: token } = begin()
    signIns.apply({ secret: 'another one', issuer: 'gate' })
    expect(signIns.find(token)).toBeNull()
  })

  const parts = () => begin().access_token.split('.') as [string, string, string]
  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const hs256 = (text: string, key: string | Buffer) =>
    `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
  test.each<readonly [string, () => string]>([
    ['alg none', () => `${encoded({ alg: 'none', typ: 'at+jwt' })}.${parts()[1]}.`],
    ['alg none with the old signature', () => [encoded({ alg: 'none' }), ...parts().slice(1)].join('.')],
    ['another order in its header', () => [encoded({ typ: 'at+jwt', alg: 'HS256' }), ...parts().slice(1)].join('.')],
    [
      'a key of its own in the header',
      () => hs256(`${encoded({ alg: 'HS256', jwk: { kty: 'oct', k: 'eA' } })}.${parts()[1]}`, 'x'),
    ],
    [
      'a place of keys in the header',
      () => hs256(`${encoded({ alg: 'HS256', jku: 'https://evil.example' })}.${parts()[1]}`, 'x'),
    ],
    [
      'RS256',
      () => {
        const text = `${encoded({ alg: 'RS256', typ: 'at+jwt' })}.${parts()[1]}`
        return `${text}.${sign('sha256', Buffer.from(text), generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey).toString('base64url')}`
      },
    ],
    ['the bare secret as key', () => hs256(parts().slice(0, 2).join('.'), SECRET)],
    ['the key of refresh tokens', () => hs256(parts().slice(0, 2).join('.'), tokenKey(SECRET, 'refresh'))],
    [
      'another payload',
      () => {
        const [head, , mac] = parts()
        return [head, encoded({ sub: 'eve' }), mac].join('.')
      },
    ],
    ['a signature that is cut', () => parts().join('.').slice(0, -1)],
    [
      'bits that base64url leaves over',
      () => {
        const token = parts().join('.')
        return token.slice(0, -1) + String.fromCharCode(token.charCodeAt(token.length - 1) ^ 1)
      },
    ],
    ['nothing but a header', () => `${parts()[0]}.`],
    ['no text', () => ''],
    ['length', () => `${parts().join('.')}${'A'.repeat(3_000)}`],
  ])('is not taken with %s', (_, token) => {
    expect(signIns.find(token())).toBeNull()
  })

  test('of another issuer is not taken', () => {
    const foreign = accessTokens(tokenKey(SECRET, 'access'), 'another').sign({
      sub: 'mara',
      sid: 'x',
      iat: 0,
      exp: 1e12,
      jti: '',
      scope: '',
      client_id: '',
    })
    expect(signIns.find(foreign)).toBeNull()
  })
})

describe('a refresh token', () => {
  test('gets new tokens, and is replaced', () => {
    const first = begin()
    const second = signIns.refresh(first.refresh_token, null)
    expect(second?.refresh_token).not.toBe(first.refresh_token)
    expect(signIns.find(second?.access_token ?? '')).toMatchObject({ userId: 'mara' })
    expect(signIns.refresh(second?.refresh_token ?? '', null)).not.toBeNull()
  })

  test('that was replaced ends the sign-in for both who hold it', () => {
    const first = begin()
    const second = signIns.refresh(first.refresh_token, null)
    expect(signIns.refresh(first.refresh_token, null)).toBeNull()
    expect(signIns.refresh(second?.refresh_token ?? '', null)).toBeNull()
    expect(() => signIns.find(second?.access_token ?? '')).toThrow('sign in again')
    expect(ended).toHaveLength(1)
  })

  test('that was made up ends nothing', () => {
    const { refresh_token: token, access_token: access } = begin()
    expect(signIns.refresh(`${token.slice(0, -43)}${'A'.repeat(43)}`, null)).toBeNull()
    expect(signIns.refresh(token.replace(/_0_/, '_7_'), null)).toBeNull()
    expect(signIns.find(access)).not.toBeNull()
  })

  test('is for its client alone', () => {
    const token = signIns.begin('mara', 'one', 'x', null)?.refresh_token ?? ''
    expect(signIns.refresh(token, null)).toBeNull()
    expect(signIns.refresh(token, 'two')).toBeNull()
    expect(signIns.refresh(token, 'one')).not.toBeNull()
  })

  test('holds after a restart', () => {
    const { refresh_token: token } = begin()
    signIns = signInsOf()
    expect(signIns.refresh(token, null)).not.toBeNull()
  })

  test('lasts for thirty days without use, and for 180 with it', () => {
    let token = begin().refresh_token
    for (let days = 0; days < 174; days += 29) {
      at += 29 * 86_400_000
      token = signIns.refresh(token, null)?.refresh_token ?? ''
    }
    at += 7 * 86_400_000
    expect(signIns.refresh(token, null)).toBeNull()
    const idle = begin().refresh_token
    at += 30 * 86_400_000
    signIns.endExpired()
    expect(signIns.refresh(idle, null)).toBeNull()
    expect(ended.map((text) => text.split(' ')[1])).toEqual(['expired', 'expired'])
  })

  test('can be given back, by itself or with the access token', () => {
    for (const which of ['refresh_token', 'access_token'] as const) {
      const answer = begin()
      signIns.revokeToken(answer[which])
      expect(signIns.refresh(answer.refresh_token, null)).toBeNull()
    }
    signIns.revokeToken('unknown')
  })
})

test('one person has fifty sign-ins; one more ends the one that was used longest ago', () => {
  const first = begin()
  for (let time = 1; time < 50; time += 1) {
    at += 1
    begin()
  }
  begin('eve')
  expect(signIns.list('mara')).toHaveLength(50)
  at += 1
  begin()
  expect(signIns.list('mara')).toHaveLength(50)
  expect(signIns.refresh(first.refresh_token, null)).toBeNull()
})

describe('on a full disk', () => {
  const IDLE_MS = 30 * 86_400_000
  test.each([
    { name: 'what expires', end: () => signIns.endExpired(), wait: IDLE_MS },
    { name: 'what a person has', end: () => signIns.endAllOf('mara', 'disabled'), wait: 0 },
  ])('each sign-in of $name ends in memory, and leaves the store later', ({ end, wait }) => {
    const tokens = [begin(), begin()].map(({ refresh_token: token }) => token)
    at += wait
    isFull = true
    expect(end).toThrow('the disk is full')
    expect(ended).toHaveLength(2)
    expect(tokens.map((token) => signIns.refresh(token, null))).toEqual([null, null])
    signIns.load()
    expect(signIns.list('mara')).toEqual([])
    isFull = false
    signIns.endExpired()
    expect(rows.size).toBe(0)
  })
})

test('a person ends no sign-in of another', () => {
  const { access_token: token } = begin()
  expect(signIns.end(claimsOf(token).sid, 'eve')).toBe(false)
  expect(signIns.end(claimsOf(token).sid, 'mara')).toBe(true)
})

test('a witness of an access token says whose it is, is no token, and ends with the sign-in', () => {
  const { access_token: token } = begin()
  const witness = witnessOf(token)
  expect(signIns.witnessed(witness)?.name).toBe('mara')
  expect([signIns.find(witness), signIns.witnessed(token), signIns.witnessed(witnessOf(witness))]).toEqual([
    null,
    null,
    null,
  ])
  signIns.end(claimsOf(token).sid, null)
  expect(() => signIns.witnessed(witness)).toThrow('the sign-in has ended')
})

describe('B26: a secret', () => {
  test.each([
    { title: 'of 31 characters', secret: 'x'.repeat(31), isStretched: true },
    { title: 'of a seed', secret: 'your-secret-here', isStretched: true },
    { title: 'of 32 characters', secret: 'x'.repeat(32), isStretched: false },
    { title: 'that Gate has made', secret: Buffer.alloc(16), isStretched: false },
  ])('$title signs by itself: not $isStretched', ({ secret, isStretched }) => {
    const made = createSignIns(
      { all: () => [], put: () => {}, remove: () => {} },
      { principalOf, emailOf: () => null },
      { secret, issuer: 'gate' },
      () => at,
    )
    const token = made.begin('mara', null, 'gatectl', null)?.access_token ?? ''
    expect(accessTokens(tokenKey(secret, 'access'), 'gate').verify(token, at / 1_000) === null).toBe(isStretched)
    expect(accessTokens(tokenKey(stretched(secret), 'access'), 'gate').verify(token, at / 1_000)?.sub).toBe('mara')
  })
})
