import { expect, test } from 'vitest'
import { type BudgetParts, budgetRoutes } from '../../../../daemon/admin/routes/budgets.ts'

const PARTS: BudgetParts = {
  access: { tokens: { list: () => [] } },
  config: {
    current: () => expect.unreachable('nothing is asked'),
    explain: () => expect.unreachable('nothing is asked'),
    set: () => expect.unreachable('nothing is set'),
    unset: () => expect.unreachable('nothing is unset'),
    change: () => expect.unreachable('nothing is changed'),
  },
  money: { potsOf: () => [], refill: () => false },
}

test.each([
  ['GET /api/admin/budgets', 'config:read'],
  ['GET /api/admin/budgets/{name}', 'config:read'],
  ['POST /api/admin/budgets', 'admin'],
  ['PATCH /api/admin/budgets/{name}', 'admin'],
  ['DELETE /api/admin/budgets/{name}', 'admin'],
  ['POST /api/admin/budgets/{name}/refill', 'admin'],
])('%s takes the scope %s, as the configuration does', (name, scope) => {
  const route = budgetRoutes(PARTS).find(({ method, path }) => `${method} ${path}` === name)
  expect(route?.scope).toBe(scope)
})
