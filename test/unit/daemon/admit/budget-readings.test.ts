import { expect, test } from 'vitest'
import { budgetReadings } from '../../../../daemon/admit/budget-readings.ts'
import { createPots } from '../../../../daemon/admit/pots.ts'
import { ANYBODY } from '../../../../daemon/auth/principal.ts'
import type { BudgetConfig } from '../../../../schemas/config/config.ts'

const DAY_MS = 86_400_000

test('a budget is read as its pots together, and as nothing once their window is over', () => {
  const sources = { leases: { before: () => 0 }, refilledIn: () => 0, spentIn: () => 0 }
  const pots = createPots({ user: () => null, team: () => null }, sources, () => 0)
  const shared = { window: 'day', zone: 'UTC', soft: false, overdraft: '0 USD', unknown_price: 'count-as-0' } as const
  const each: BudgetConfig = { ...shared, limit: '10 USD', scope: 'each-key' }
  pots.apply({ each })
  for (const [keyId, spent] of [
    ['a', 5_000_000],
    ['b', 1_000_000],
  ] as const) {
    const [pot] = pots.ofPayer({ ...ANYBODY, keyId })
    Object.assign(pot?.now ?? {}, { spent, reserved: 1 })
  }
  expect(budgetReadings(pots, 1)).toEqual([
    { name: 'each', limit: 10_000_000, spent: 6_000_000, reserved: 2, percent: 50 },
  ])
  expect(budgetReadings(pots, DAY_MS)).toEqual([{ name: 'each', limit: 10_000_000, spent: 0, reserved: 0, percent: 0 }])
})
