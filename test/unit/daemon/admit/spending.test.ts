import { describe, expect, test } from 'vitest'
import { createBudgets } from '../../../../daemon/admit/budgets.ts'
import { localLeases } from '../../../../daemon/admit/leases.ts'
import { createSpending, type SpentRow } from '../../../../daemon/admit/spending.ts'
import { memoryLeases, NO_NAMES, PAYER } from '../../../support/budgets.ts'

const DAY_MS = 86_400_000
const NOON = Date.UTC(2026, 10, 30, 12)
const BUDGET = { zone: 'UTC', soft: false, overdraft: '0 USD', unknown_price: 'count-as-0', limit: '1 USD' } as const
const row = (keyId: string, cost: number, model = 'm', targetModel = 'm'): SpentRow => ({
  keyId,
  userId: '',
  team: '',
  teams: '',
  model,
  targetModel,
  upstream: 'box',
  cost,
})

function at(config: object, store = memoryLeases()) {
  let nowMs = NOON
  const told: string[] = []
  const budgets = createBudgets({
    leases: localLeases(store),
    refilledIn: () => 0,
    spentIn: (name) => spending.spentIn(name),
    names: NO_NAMES,
    now: () => nowMs,
    tell: ({ budget, subject, percent }) => void told.push(`${budget} ${subject} ${percent}`),
    charged: () => {},
  })
  const spending = createSpending(() => budgets.pots, NO_NAMES, {
    payerOf: (keyId) => ({ ...PAYER, keyId, name: `name of ${keyId}` }),
    providerOf: () => 'openai',
  })
  budgets.apply({ b: { ...BUDGET, window: 'day', scope: 'global', ...config } as never })
  const spend = (cost: number, keyId = PAYER.keyId) => {
    const reserved = budgets.reserve(budgets.pots.ofPayer({ ...PAYER, keyId }), nowMs, {
      amount: cost,
      isFree: false,
      isKnown: true,
    })
    if (!('atMs' in reserved)) return false
    budgets.settle(reserved, cost)
    return true
  }
  const read = (rows: readonly SpentRow[], meanwhile = () => {}) => {
    const windows = spending.windows(nowMs)
    const cut = spending.cut()
    meanwhile()
    spending.takeOver(
      cut,
      windows,
      windows.map(() => rows),
    )
  }
  const spent = () => Object.fromEntries(budgets.pots.all().map(({ subject, now }) => [subject, now.spent]))
  return { budgets, spend, read, spent, told, store, pass: (ms: number) => (nowMs += ms) }
}

describe('what the usage log says is what a budget says', () => {
  test('with what was settled while it was read', () => {
    const { spend, read, spent } = at({})
    spend(10)
    read([row('key-1', 110)], () => spend(5)) // the log has the 10, and not the 5
    expect(spent()).toEqual({ '': 115 })
  })

  test('for each key on its own; one that has no rows has spent nothing', () => {
    const { spend, read, spent } = at({ scope: 'each-key' })
    read([row('key-1', 300_000), row('key-1', 1, 'other'), row('key-2', 999_999)])
    expect(spend(2, 'key-3')).toBe(true)
    expect(spent()).toEqual({ 'key-1': 300_001, 'key-2': 999_999, 'key-3': 2 })
  })

  test.each([
    ['key:name of key-1', 7],
    ['key:key-2', 5],
    ['model:m', 15],
    ['model:other', 0],
    ['model:box/m', 15],
    ['model:fast', 2],
    ['provider:openai', 15],
    ['provider:box', 15],
    ['user:ada', 0],
  ])('of the scope %s: %d', (scope, sum) => {
    const { read, spent } = at({ scope })
    read([row('key-1', 7), row('key-2', 5), row('key-3', 1, 'box/m'), row('key-3', 2, 'fast:latest')])
    expect(spent()).toEqual({ '': sum })
  })

  test.each([
    ['each-team', { research: 3, sales: 7 }],
    ['team:research', { '': 3 }],
    ['each-user', { ada: 10 }],
  ])('of the scope %s: also of those who have left since', (scope, sums) => {
    const { read, spent } = at({ scope })
    const rows = [row('key-1', 3), row('key-1', 7)]
    read(rows.map((one, index) => ({ ...one, userId: 'ada', team: index === 0 ? 'research' : 'sales' })))
    expect(spent()).toEqual(sums)
  })

  test('of more than 10 000 keys: those that come later share what they have spent', () => {
    const { read, spent, spend } = at({ scope: 'each-key' })
    const rows = Array.from({ length: 10_002 }, (_, n) => row(`key-${n}`, 400_000))
    read(rows)
    expect([spent()['key-9999'], spent()['*']]).toEqual([400_000, 800_000])
    expect(spend(200_000, 'key-new')).toBe(true)
    read([...rows, row('key-new', 200_000)])
    expect(spent()['*']).toBe(1_000_000)
    expect(spend(1, 'key-newer')).toBe(false)
  })

  test('of keys whose window has ended nothing is kept where there are too many', () => {
    const { read, spent, spend, pass } = at({ scope: 'each-key' })
    read(Array.from({ length: 10_000 }, (_, n) => row(`key-${n}`, 400_000)))
    pass(DAY_MS)
    expect(spend(7, 'key-new')).toBe(true)
    expect(spent()).toEqual({ 'key-new': 7 })
  })

  test('and not what was leased before a crash, once it was read', () => {
    const store = memoryLeases()
    at({}, store).spend(900_000)
    const { read, spent, spend } = at({}, store)
    expect(spent()['']).toBeGreaterThanOrEqual(900_000)
    read([row('key-1', 100_000)])
    expect(spent()).toEqual({ '': 100_000 })
    expect(spend(900_000)).toBe(true)
    expect(spend(1)).toBe(false)
  })
})

describe('clocks', () => {
  test('a day later there is new money; when the clock goes back there is not', () => {
    const { spend, read, pass } = at({})
    read([])
    expect([spend(1_000_000), spend(1)]).toEqual([true, false])
    pass(DAY_MS)
    expect([spend(600_000), spend(600_000)]).toEqual([true, true])
    pass(-DAY_MS)
    expect(spend(1)).toBe(false)
    pass(DAY_MS)
    expect(spend(1)).toBe(false) // what was spent while the clock was ahead is spent
    pass(DAY_MS)
    expect(spend(1)).toBe(true)
  })

  test('a request is settled in the window that it began in', () => {
    const { budgets, read, pass, spent } = at({})
    read([])
    const worst = { amount: 400, isFree: false, isKnown: true }
    const reserved = budgets.reserve(budgets.pots.ofPayer(PAYER), NOON, worst)
    if (!('atMs' in reserved)) return expect.unreachable('there is money')
    pass(DAY_MS)
    void budgets.reserve(budgets.pots.ofPayer(PAYER), NOON + DAY_MS, worst)
    budgets.settle(reserved, 300)
    expect(spent()).toEqual({ '': 0 })
    expect(budgets.pots.all()[0]?.past[0]).toMatchObject({ spent: 300, reserved: 0 })
  })
})

test('75, 95 and 100 % are told once each', () => {
  const { spend, read, told } = at({ overdraft: '1 USD' })
  read([])
  for (let n = 0; n < 30; n += 1) spend(50_000)
  expect(told).toEqual(['b  75', 'b  95', 'b  100'])
})

test('a lower limit that is spent already is told at once, and of a higher one the shares are news again', () => {
  const { budgets, spend, read, told } = at({})
  const limit = (usd: string) =>
    budgets.apply({ b: { ...BUDGET, window: 'day', scope: 'global', limit: `${usd} USD` } as never })
  read([])
  spend(500_000)
  limit('0.50')
  limit('0.50')
  expect(told).toEqual(['b  100'])
  limit('1')
  expect(told).toEqual(['b  100'])
  spend(300_000)
  expect(told).toEqual(['b  100', 'b  75'])
})

test('an overdraft is spent before anything is refused', () => {
  const { spend, read } = at({ overdraft: '0.50 USD' })
  read([])
  expect([spend(1_000_000), spend(500_000), spend(1)]).toEqual([true, true, false])
})

test.each(['team-1', 'team-2', 'team-3'])(
  'who has left team %s, or all, takes nothing of what was spent along',
  (team) => {
    const { read, spent } = at({ scope: `team:${team}` })
    read([{ ...row('key-1', 70), userId: 'user-1', team: 'team-1', teams: 'team-2 team-3' }, row('key-1', 5)])
    expect(spent()).toEqual({ '': 70 })
  },
)
