import { usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'
import { shownValue } from '../../output/shown-value.ts'
import { table } from '../../output/table.ts'

export const run: Run = async ({ admin, arguments: [key], flag, json, print, printJson, note, stdout }) => {
  if ((key === undefined) !== flag('all')) throw usageFailure('gatectl config get: give a KEY, or --all', USAGE)
  if (key === undefined) {
    const list = await admin.ask('GET /api/admin/config')
    const rows = list.keys.map((k) => [k.key, shownValue(k.value), k.winner ?? 'not set'])
    if (json) printJson(list)
    else print(table(['KEY', 'VALUE', 'FROM'], rows, stdout))
    return 0
  }
  const explanation = await admin.ask('GET /api/admin/config/keys/{key}', { parameter: key })
  if (json) printJson(explanation)
  else if (explanation.winner === undefined) note(`${explanation.key} is not set`)
  else print(shownValue(explanation.value))
  return explanation.winner === undefined ? 1 : 0
}

const USAGE = 'usage: gatectl config get KEY, or gatectl config get --all'
