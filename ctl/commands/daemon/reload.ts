import type { Run } from '../../invocation.ts'
import { printChange } from '../config/change.ts'

export const run: Run = async (invocation) => {
  const change = await invocation.admin.ask('POST /api/admin/reload')
  printChange(invocation, change)
  return change.problems.length === 0 ? 0 : 1
}
