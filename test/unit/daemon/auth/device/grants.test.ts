import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createDeviceGrants } from '../../../../../daemon/auth/device/grants.ts'
import { newUserCode, normalUserCode } from '../../../../../daemon/auth/device/user-code.ts'

const REQUEST = { clientId: null, scope: null, label: 'gatectl', address: '192.0.2.1' }

function begun(request = {}) {
  let at = 1_000_000
  const grants = createDeviceGrants(randomBytes, () => at)
  const codes = grants.begin({ ...REQUEST, ...request })
  if (codes.kind !== 'begun') throw new Error('refused')
  return { grants, ...codes, wait: (seconds: number) => (at += seconds * 1_000) }
}

type Step =
  | { readonly wait: number }
  | { readonly decide: 'approve' | 'deny' }
  | { readonly poll: string; readonly clientId?: string }

describe('RFC 8628 section 3.5', () => {
  test.each<{ readonly name: string; readonly clientId?: string; readonly steps: readonly Step[] }>([
    { name: 'the first poll may come at once', steps: [{ poll: 'authorization_pending' }] },
    {
      name: 'a poll after the interval is told to wait',
      steps: [{ poll: 'authorization_pending' }, { wait: 5 }, { poll: 'authorization_pending' }],
    },
    {
      name: 'a poll before it slows the client down',
      steps: [{ poll: 'authorization_pending' }, { wait: 3 }, { poll: 'slow_down' }],
    },
    {
      name: 'slow_down adds five seconds for good',
      steps: [
        { poll: 'authorization_pending' },
        { wait: 1 },
        { poll: 'slow_down' },
        { wait: 6 },
        { poll: 'slow_down' },
        { wait: 14 },
        { poll: 'slow_down' },
        { wait: 20 },
        { poll: 'authorization_pending' },
      ],
    },
    {
      name: 'an approval is told, once',
      steps: [{ decide: 'approve' }, { poll: 'approved' }, { wait: 5 }, { poll: 'invalid_grant' }],
    },
    {
      name: 'a refusal is told, once',
      steps: [
        { poll: 'authorization_pending' },
        { decide: 'deny' },
        { wait: 5 },
        { poll: 'access_denied' },
        { wait: 5 },
        { poll: 'invalid_grant' },
      ],
    },
    {
      name: 'an approval does not make a fast poll right',
      steps: [
        { poll: 'authorization_pending' },
        { decide: 'approve' },
        { wait: 1 },
        { poll: 'slow_down' },
        { wait: 10 },
        { poll: 'approved' },
      ],
    },
    {
      name: 'a code lasts ten minutes',
      steps: [{ wait: 599 }, { poll: 'authorization_pending' }, { wait: 5 }, { poll: 'expired_token' }],
    },
    {
      name: 'an approval does not outlast the code',
      steps: [{ decide: 'approve' }, { wait: 600 }, { poll: 'expired_token' }],
    },
    {
      name: 'another client learns nothing',
      clientId: 'one',
      steps: [
        { decide: 'approve' },
        { poll: 'invalid_grant', clientId: 'two' },
        { poll: 'invalid_grant' },
        { poll: 'approved', clientId: 'one' },
      ],
    },
  ])('$name', ({ clientId, steps }) => {
    const { grants, deviceCode, userCode, wait } = begun(clientId === undefined ? {} : { clientId })
    for (const step of steps) {
      if ('wait' in step) wait(step.wait)
      else if ('decide' in step) expect(grants.decide(userCode, 'mara', step.decide).kind).toBe('decided')
      else expect(grants.poll(deviceCode, step.clientId ?? null).kind).toBe(step.poll)
    }
  })

  test('an unknown device code is not a grant', () => {
    expect(begun().grants.poll('other', null).kind).toBe('invalid_grant')
  })
})

describe('user codes', () => {
  test('are eight consonants, with 34 bits', () => {
    for (let time = 0; time < 200; time += 1)
      expect(newUserCode(randomBytes)).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/)
  })

  test('each letter is as likely: bytes that would make the first ones likelier are thrown away', () => {
    let calls = 0
    const high = () => (calls++ === 0 ? new Uint8Array(8).fill(255) : new Uint8Array(8))
    expect(newUserCode(high)).toBe('BBBB-BBBB')
    expect(calls).toBe(2)
  })

  test.each(['wdjb-mjht', 'WDJBMJHT', ' wdjb mjht ', 'WDJB–MJHT', 'w-d-j-b-m-j-h-t'])('%j is WDJB-MJHT', (typed) => {
    expect(normalUserCode(typed)).toBe('WDJB-MJHT')
  })

  test('no text makes it fail', () => {
    fc.assert(fc.property(fc.string(), (text) => [null, 9].includes(normalUserCode(text)?.length ?? null)))
  })
})

describe('what a person decides on', () => {
  test('is shown as the device asked for it', () => {
    const { grants, userCode } = begun({ scope: 'chat:write', label: 'claude-code/2' })
    expect(grants.lookUp(userCode.toLowerCase(), 'mara')).toMatchObject({
      kind: 'found',
      device: { scope: 'chat:write', label: 'claude-code/2', address: '192.0.2.1' },
    })
  })

  test('is decided on once', () => {
    const { grants, userCode } = begun()
    grants.decide(userCode, 'mara', 'approve')
    expect(grants.decide(userCode, 'eve', 'approve').kind).toBe('unknown')
  })

  test('is not there any more once its code has expired', () => {
    const { grants, userCode, wait } = begun()
    wait(600)
    expect(grants.lookUp(userCode, 'mara').kind).toBe('unknown')
  })
})

describe('limits', () => {
  test('ten wrong codes are enough for ten minutes, and the right one is not looked up any more', () => {
    const { grants, wait } = begun()
    for (let time = 0; time < 10; time += 1) expect(grants.lookUp('BBBB-BBBB', 'eve').kind).toBe('unknown')
    wait(500)
    const later = grants.begin(REQUEST)
    if (later.kind !== 'begun') throw new Error('refused')
    expect(grants.decide(later.userCode, 'eve', 'approve')).toEqual({ kind: 'too-many', retryAfterMs: 100_000 })
    expect(grants.lookUp(later.userCode, 'mara').kind).toBe('found')
    wait(100)
    expect(grants.decide(later.userCode, 'eve', 'approve').kind).toBe('decided')
  })

  test('a thousand wrong codes of whoever it is are enough for all', () => {
    const { grants, userCode } = begun()
    for (let time = 0; time < 1_000; time += 1) grants.lookUp('BBBB-BBBB', `address ${time}`)
    expect(grants.lookUp(userCode, 'mara').kind).toBe('too-many')
  })

  test('one address may have twenty devices wait, and all together a thousand', () => {
    const { grants, wait } = begun()
    for (let time = 1; time < 20; time += 1) grants.begin(REQUEST)
    expect(grants.begin(REQUEST)).toEqual({ kind: 'full', retryAfterMs: 600_000 })
    for (let time = 20; time < 1_000; time += 1)
      expect(grants.begin({ ...REQUEST, address: `address ${time}` }).kind).toBe('begun')
    expect(grants.begin({ ...REQUEST, address: 'one more' }).kind).toBe('full')
    wait(661)
    expect(grants.begin(REQUEST).kind).toBe('begun')
    expect(grants.count()).toBe(1)
  })
})

test('the addresses of one network of IPv6 together have twenty devices that wait', () => {
  const grants = createDeviceGrants(randomBytes, () => 0)
  const kinds = Array.from({ length: 21 }, (_, n) => grants.begin({ ...REQUEST, address: `2001:db8::${n + 1}` }).kind)
  expect([kinds.lastIndexOf('begun'), kinds[20]]).toEqual([19, 'full'])
  expect(grants.begin({ ...REQUEST, address: '2001:db8:0:1::1' }).kind).toBe('begun')
})
