import { Failure, usageFailure } from '../../failure.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { amountOf } from './amount.ts'
import { showBudget } from './show.ts'

export const run: Run = async (invocation) => {
  const [name = '', amount = ''] = invocation.arguments
  const { admin } = invocation
  const body = { limit: amountOf(amount), ...settingsIn(invocation) }
  const changed = (await isThere(admin, name))
    ? await admin.ask('PATCH /api/admin/budgets/{name}', { parameter: name, body })
    : await admin.ask('POST /api/admin/budgets', { body: { name, window: 'month', ...body } })
  showBudget(invocation, changed)
  return 0
}

/** Asked beforehand: a change that is refused would be in the audit. */
async function isThere(admin: Invocation['admin'], name: string): Promise<boolean> {
  try {
    await admin.ask('GET /api/admin/budgets/{name}', { parameter: name })
    return true
  } catch (error) {
    if (error instanceof Failure && error.problem.code === 'BUDGET_NOT_FOUND') return false
    throw error
  }
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
