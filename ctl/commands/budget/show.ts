import type { BudgetInfo } from '../../../schemas/api/budgets.ts'
import { amountText } from '../../../schemas/words/money.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { table } from '../../output/table.ts'

export const run: Run = async (invocation) => {
  const [parameter = ''] = invocation.arguments
  showBudget(invocation, await invocation.admin.ask('GET /api/admin/budgets/{name}', { parameter }))
  return 0
}

/** Prints a budget and its pots. */
export function showBudget({ json, print, printJson, stdout }: Invocation, budget: BudgetInfo): void {
  if (json) {
    printJson(budget)
    return
  }
  const { name, limit, window, zone, scope, soft, overdraft, unknown_price: unknown, pots } = budget
  print(`${name}: ${limit} a ${window} (${zone}), ${scope}, ${soft ? 'soft' : `hard, overdraft ${overdraft}`}`)
  print(`models without a known price: ${unknown === 'refuse' ? 'refused' : 'count as 0'}`)
  print(table(['SUBJECT', 'SPENT', 'RESERVED', 'REFILLED', 'LEFT', 'USED', 'BEGINS ANEW'], pots.map(row), stdout))
}

function row(pot: BudgetInfo['pots'][number]): readonly string[] {
  const { subject, left_microdollars: left, percent, ends } = pot
  const amounts = [pot.spent_microdollars, pot.reserved_microdollars, pot.refilled_microdollars].map(amountText)
  return [
    subject === '' ? 'all' : subject,
    ...amounts,
    left === null ? 'no end' : amountText(left),
    `${percent} %`,
    ends,
  ]
}
