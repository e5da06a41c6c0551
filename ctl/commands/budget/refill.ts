import type { Run } from '../../invocation.ts'
import { amountOf } from './amount.ts'
import { showBudget } from './show.ts'

export const run: Run = async (invocation) => {
  const [parameter = '', amount = ''] = invocation.arguments
  const { admin, text, flag } = invocation
  const body = { amount: `${flag('take') ? '-' : ''}${amountOf(amount)}`, subject: text('for') ?? '' }
  showBudget(invocation, await admin.ask('POST /api/admin/budgets/{name}/refill', { parameter, body }))
  return 0
}
