import type { BackendInfo } from '../../../schemas/admin.ts'
import type { Run } from '../../invocation.ts'
import { table } from '../../output/table.ts'

export const run: Run = async ({ admin, json, print, printJson, stdout }) => {
  const list = await admin.ask('GET /api/admin/backends')
  if (json) printJson(list)
  else if (list.backends.length === 0) print('there are no backends; see backends in gate.toml')
  else print(table(['NAME', 'STATE', 'GROUP', 'IN FLIGHT', 'WAITING', 'WHY'], list.backends.map(row), stdout))
  return 0
}

function row(backend: BackendInfo): readonly string[] {
  const { name, provider, state, group = '-', requests_in_flight, requests_waiting, reason = '' } = backend
  const count = (requests: number) => (provider === 'app' ? '-' : String(requests)) // no request goes to an app
  return [name, state, group, count(requests_in_flight), count(requests_waiting), reason]
}
