import type { BudgetInfo } from '../../../schemas/api/budgets.ts'
import { amountText } from '../../../schemas/words/money.ts'
import type { Run } from '../../invocation.ts'
import { table } from '../../output/table.ts'

export const run: Run = async ({ admin, json, print, printJson, stdout }) => {
  const list = await admin.ask('GET /api/admin/budgets')
  if (json) printJson(list)
  else if (list.budgets.length === 0) print('no budgets; "gatectl budget set NAME AMOUNT" makes one')
  else print(table(['NAME', 'SCOPE', 'LIMIT', 'SPENT', 'USED', 'BEGINS ANEW'], list.budgets.map(row), stdout))
  return 0
}

/** Of a budget with several pots, the one that has spent most. */
function row({ name, scope, limit, window, soft, pots: [pot] }: BudgetInfo): readonly string[] {
  const shown = `${limit} a ${window}${soft ? ' (soft)' : ''}`
  if (pot === undefined) return [name, scope, shown, '-', '-', '-']
  const subject = pot.subject === '' ? '' : ` (${pot.subject})`
  return [name, scope, shown, `${amountText(pot.spent_microdollars)}${subject}`, `${pot.percent} %`, pot.ends]
}
