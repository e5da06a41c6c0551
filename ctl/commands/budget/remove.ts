import type { Run } from '../../invocation.ts'
import { printChange } from '../config/change.ts'

export const run: Run = async (invocation) => {
  const [parameter = ''] = invocation.arguments
  printChange(invocation, await invocation.admin.ask('DELETE /api/admin/budgets/{name}', { parameter }))
  return 0
}
