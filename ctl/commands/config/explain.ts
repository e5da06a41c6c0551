import type { Explanation } from '../../../schemas/config/layers.ts'
import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import type { Run } from '../../invocation.ts'
import { shownValue } from '../../output/shown-value.ts'
import { table } from '../../output/table.ts'
import type { Output } from '../../surroundings.ts'

export const run: Run = async ({ admin, arguments: [key = ''], json, print, printJson, stdout }) => {
  const explanation = await admin.ask('GET /api/admin/config/keys/{key}', { parameter: key })
  if (json) printJson(explanation)
  else print(explanationText(explanation, stdout))
  return 0
}

function explanationText(explanation: Explanation, stdout: Output): string {
  const { key, value, waiting, winner, layers, description, restart, change } = explanation
  const rows = layers.map((l) => [
    l.layer === winner ? '*' : '',
    l.layer,
    l.set ? shownValue(l.value) : '-',
    l.set ? (l.source ?? '') : 'not set',
  ])
  const lines = [`${key} = ${winner === undefined ? '(not set)' : shownValue(value)}`]
  if (description !== undefined) lines.push(escapeControls(description))
  if (change !== undefined) lines.push(`systemd listens for the daemon. To change it: ${escapeControls(change)}`)
  else if (waiting)
    lines.push('This value takes effect when gate-daemon restarts; until then an older one is in force.')
  else if (restart) lines.push('A change takes effect when gate-daemon restarts.')
  const withheld = layers.flatMap((l) => (l.withheld === undefined ? [] : escapeControls(`${l.layer}: ${l.withheld}`)))
  return [...lines, ...withheld, '', table(['', 'LAYER', 'VALUE', 'SET BY'], rows, stdout)].join('\n')
}
