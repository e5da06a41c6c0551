import type { Run } from '../../invocation.ts'
import { printChange } from './change.ts'

export const run: Run = async (invocation) => {
  const [key = ''] = invocation.arguments
  printChange(invocation, await invocation.admin.ask('DELETE /api/admin/config/keys/{key}', { parameter: key }))
  return 0
}
