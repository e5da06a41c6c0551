import { describe, expect, test } from 'vitest'
import type { Payer } from '../../../../daemon/admit/payer.ts'
import { limitsOf, PAYER } from '../../../support/budgets.ts'

const OTHER = { ...PAYER, keyId: 'key-2' }
const address = (text: string) => () => text

function at(config: object) {
  let ms = 0
  const limits = limitsOf({ l: { scope: 'each-key', ...config } as never }, { now: () => ms })
  return { limits, pass: (more: number) => (ms += more) }
}

const to = (model: string, target = model) => ({ model, target, upstream: 'box', provider: '' })

describe('requests per minute', () => {
  test('a minute of them can be used at once, and comes back bit by bit', () => {
    const { limits, pass } = at({ requests_per_minute: 6 })
    const enter = () => limits.enter(PAYER, address('127.0.0.1'))
    for (let i = 0; i < 6; i += 1) expect(enter()?.refusal).toBe(null)
    expect(enter()?.refusal).toMatchObject({ code: 'TOO_MANY_REQUESTS', retryAfterS: 10 })
    expect(limits.enter(OTHER, address('127.0.0.1'))?.refusal).toBe(null)
    pass(9_999)
    expect(enter()?.refusal).toMatchObject({ retryAfterS: 1 })
    pass(1)
    expect(enter()?.refusal).toBe(null)
    expect(enter()?.states().requests).toEqual({ limit: 6, remaining: 0, resetMs: 60_000 })
  })

  test('a clock that stands still or goes back gives nothing', () => {
    const { limits, pass } = at({ requests_per_minute: 1 })
    const enter = () => limits.enter(PAYER, address('127.0.0.1'))
    expect(enter()?.refusal).toBe(null)
    pass(-10_000)
    expect(enter()?.refusal).not.toBe(null)
  })
})

test('requests at a time: who leaves makes room, once', () => {
  const { limits } = at({ concurrent: 2 })
  const enter = () => limits.enter(PAYER, address('127.0.0.1'))
  const [first, second] = [enter(), enter()]
  expect([first?.refusal, second?.refusal, enter()?.refusal?.retryAfterS]).toEqual([null, null, 1])
  enter()?.leave(0) // one that was refused has nothing to give back
  first?.leave(0)
  first?.leave(0)
  expect([enter()?.refusal, enter()?.refusal?.code]).toEqual([null, 'TOO_MANY_REQUESTS'])
})

describe('tokens per minute', () => {
  test('what was expected is replaced by what was used', () => {
    const { limits, pass } = at({ tokens_per_minute: 600 })
    const first = limits.enter(PAYER, address('127.0.0.1'))
    expect(first?.ask(to('m'), 500)).toBe(null)
    expect(limits.enter(PAYER, address('127.0.0.1'))?.ask(to('m'), 200)).toMatchObject({ retryAfterS: 10 })
    first?.leave(900) // more than there is in a minute
    expect(limits.enter(PAYER, address('127.0.0.1'))?.refusal).toMatchObject({ retryAfterS: 31 })
    pass(60_000)
    expect(limits.enter(PAYER, address('127.0.0.1'))?.ask(to('m'), 300)).toBe(null)
  })

  test('who asks for more than there is in a minute waits for a full minute of it', () => {
    const { limits } = at({ tokens_per_minute: 100 })
    expect(limits.enter(PAYER, address('127.0.0.1'))?.ask(to('m'), 10_000)).toBe(null)
  })
})

test('a model has a limit of its own, and nothing is taken elsewhere when that is reached', () => {
  const limits = limitsOf(
    {
      m: { scope: 'model:big', requests_per_minute: 1 },
      k: { scope: 'each-key', tokens_per_minute: 1_000 },
    } as never,
    { now: () => 0 },
  )
  expect(limits.enter(PAYER, address('::1'))?.ask(to('big'), 100)).toBe(null)
  const second = limits.enter(PAYER, address('::1'))
  expect(second?.ask(to('big'), 100)?.message).toMatch(/^limit "m" allows 1 requests per minute/)
  expect(second?.states().tokens).toMatchObject({ remaining: 900 })
  expect(second?.ask(to('small'), 900)).toBe(null)
})

test.each([
  { name: 'the name of its upstream before it', way: ['box/big', 'big'] },
  { name: 'a virtual model', way: ['fast', 'big'] },
  { name: 'the usual tag', way: ['big:latest', 'other'] },
])('a limit of a model counts what comes by $name', ({ way: [model = '', target = ''] }) => {
  const limits = limitsOf({ m: { scope: 'model:big', requests_per_minute: 1 } } as never, { now: () => 0 })
  expect(limits.enter(PAYER, address('::1'))?.ask(to('big'), 1)).toBe(null)
  expect(limits.enter(PAYER, address('::1'))?.ask(to(model, target), 1)).toMatchObject({ code: 'TOO_MANY_REQUESTS' })
})

describe('addresses', () => {
  test('100 000 of them take no more memory than 20 000, and none gets more than its share', () => {
    const { limits } = at({ requests_per_minute: 1, scope: 'each-ip' })
    const from = (n: number) => limits.enter(PAYER, address(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`))?.refusal
    let letIn = 0
    for (let n = 0; n < 100_000; n += 1) if (from(n) === null) letIn += 1
    expect(letIn).toBe(20_001) // those that are counted together share one
    expect(from(5)).not.toBe(null)
  })

  test('B15: a key whose gauge was forgotten, since others needed the room, has one and not two', () => {
    const { limits, pass } = at({ concurrent: 1, requests_per_minute: 10, scope: 'each-key' })
    const enter = (payer: Payer) => limits.enter(payer, address('192.0.2.1'))
    const [one, same] = [{ ...PAYER }, { ...PAYER }]
    enter(one)?.leave(0)
    for (let n = 0; n < 20_000; n += 1) enter({ ...PAYER, keyId: `key of ${n}` })?.leave(0)
    pass(60_000)
    enter({ ...PAYER, keyId: 'one more' })?.leave(0)
    expect(enter(one)?.refusal).toBeNull()
    expect(enter(same)?.refusal).not.toBeNull()
  })
})

describe('how a limit stands', () => {
  const all = { requests_per_minute: 4, tokens_per_minute: 1_000, concurrent: 2 }

  test('each of its bounds by the subject that is closest to it, and what it has refused', () => {
    const { limits, pass } = at(all)
    const standing = () => limits.readings().map(({ of, usedRatio, refused }) => [of, usedRatio, refused])
    expect(standing().map(([, used]) => used)).toEqual([0, 0, 0])
    const enter = (payer: Payer) => limits.enter(payer, address('127.0.0.1'))
    const first = enter(PAYER)
    first?.ask(to('m'), 400)
    enter(OTHER)?.ask(to('m'), 100)
    expect(standing()).toEqual([
      ['requests', 0.25, 0],
      ['tokens', 0.4, 0],
      ['concurrent', 0.5, 0],
    ])
    enter(PAYER)?.ask(to('m'), 700) // too many tokens
    enter(PAYER) // too many at a time
    first?.leave(1_600)
    enter(PAYER) // none are left
    const [requests, tokens, concurrent] = standing()
    expect([requests, tokens, concurrent]).toEqual([
      ['requests', 0.5, 0],
      ['tokens', 1.6, 2],
      ['concurrent', 0.5, 1],
    ])
    pass(60_000)
    expect(standing().map(([, used]) => used)).toEqual([0, expect.closeTo(0.6), 0.5])
  })

  test('a bound that it has not is not told', () => {
    const { limits } = at({ concurrent: 2 })
    limits.enter(PAYER, address('127.0.0.1'))
    expect(limits.readings()).toEqual([{ name: 'l', of: 'concurrent', usedRatio: 0.5, refused: 0 }])
  })
})
