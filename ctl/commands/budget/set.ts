import { Failure, usageFailure } from '../../failure.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { amountOf } from './amount.ts'
import { showBudget } from './show.ts'

export const run: Run = async (invocation) => {
  const [name = '', amount = ''] = invocation.arguments
  const { admin } = invocation
  const body = { limit: amountOf(amount), ...settingsIn(invocation) }
  try {
    showBudget(invocation, await admin.ask('PATCH /api/admin/budgets/{name}', { parameter: name, body }))
  } catch (error) {
    if (!(error instanceof Failure) || error.problem.code !== 'BUDGET_NOT_FOUND') throw error
    const made = { name, window: 'month', ...body }
    showBudget(invocation, await admin.ask('POST /api/admin/budgets', { body: made }))
  }
  return 0
}

function settingsIn({ text, flag }: Invocation) {
  const [window, zone, scope, overdraft] = [text('window'), text('zone'), text('scope'), text('overdraft')]
  if (flag('soft') && flag('hard'))
    throw usageFailure('gatectl budget set: --soft or --hard, not both', 'leave one out')
  return {
    ...(window !== undefined && { window }),
    ...(zone !== undefined && { zone }),
    ...(scope !== undefined && { scope }),
    ...(overdraft !== undefined && { overdraft: amountOf(overdraft) }),
    ...((flag('soft') || flag('hard')) && { soft: flag('soft') }),
  }
}
