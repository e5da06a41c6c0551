import type { BackendDetail } from '../../../schemas/admin.ts'
import type { UnitState } from '../../../schemas/agent.ts'
import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import type { Run } from '../../invocation.ts'
import { table } from '../../output/table.ts'
import type { Output } from '../../surroundings.ts'

export const run: Run = async ({ admin, arguments: [name = ''], json, print, printJson, stdout }) => {
  const backend = await admin.ask('GET /api/admin/backends/{name}', { parameter: name })
  if (json) printJson(backend)
  else print(detailText(backend, stdout))
  return 0
}

function detailText(backend: BackendDetail, stdout: Output): string {
  const { name, provider, group, state, retry_seconds, start_seconds, reason, log, units, agent_error } = backend
  const again = retry_seconds === undefined ? '' : `, tried again in ${retry_seconds} s`
  const rows = [
    [name, `${state}${again}`],
    ['provider', provider],
    ...(group === undefined ? [] : [['group', group]]),
    ...(provider === 'app' ? [] : [['requests', requestsText(backend)]]),
    ...(start_seconds === undefined ? [] : [['last start', `${start_seconds} s`]]),
    ...(reason === undefined ? [] : [['why', reason]]),
    ...exitRow(units[0]),
    ...(agent_error === undefined ? [] : [['agent', agent_error]]),
  ]
  const width = Math.max(...rows.map(([title = '']) => title.length))
  const lines = rows.map(([title = '', text = '']) => `${title.padEnd(width)}  ${escapeControls(text)}`)
  if (units.length > 0)
    lines.push('', table(['UNIT', 'STATE', 'SINCE', 'RESTARTS', 'LAST RESULT'], units.map(unitRow), stdout))
  if (log.length > 0) lines.push('', 'its last words:', ...log.map((line) => `  ${escapeControls(line)}`))
  return lines.join('\n')
}

/** The container's service comes first. */
function exitRow(service: UnitState | undefined): string[][] {
  if (service?.exit_code === undefined) return []
  const { exit_code, result } = service
  return [['exit code', result === 'success' ? `${exit_code}` : `${exit_code} (${result})`]]
}

function requestsText({ requests_in_flight, requests_waiting, max_concurrent }: BackendDetail): string {
  const most = max_concurrent === undefined ? '' : `, at most ${max_concurrent} at a time`
  return `${requests_in_flight} in flight, ${requests_waiting} waiting${most}`
}

function unitRow({ unit, load, active, sub, active_since = '-', restarts, result, exit_status }: UnitState) {
  const state = load === 'loaded' ? `${active} (${sub})` : load
  return [unit, state, active_since, String(restarts), exit_status === 0 ? result : `${result}, ${exit_status}`]
}
