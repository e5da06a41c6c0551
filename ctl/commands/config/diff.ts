import type { Run } from '../../invocation.ts'
import { shownValue } from '../../output/shown-value.ts'
import { table } from '../../output/table.ts'

export const run: Run = async ({ admin, flag, json, print, printJson, stdout }) => {
  const answer = await admin.ask('GET /api/admin/config/diff')
  const { differences } = answer
  const rows = differences.map((d) => [d.key, shownValue(d.below), shownValue(d.runtime), d.effective])
  if (json) printJson(answer)
  else if (rows.length === 0) print('the runtime configuration changes nothing')
  else print(table(['KEY', 'BELOW', 'RUNTIME', 'IN FORCE'], rows, stdout))
  return flag('check') && differences.length > 0 ? 3 : 0
}
