import type { UserInfo } from '../../../schemas/api/users.ts'
import type { Run } from '../../invocation.ts'
import { table } from '../../output/table.ts'

export const run: Run = async ({ admin, json, print, printJson, stdout }) => {
  const list = await admin.ask('GET /api/admin/users')
  if (json) printJson(list)
  else print(table(['NAME', 'ROLE', 'FROM', 'TEAMS', 'KEYS', 'SESSIONS', 'STATE', 'ID'], list.users.map(row), stdout))
  return 0
}

function row({ id, name, role, source, teams, keys, sessions, disabled_at: disabled, signed_in_at: seen }: UserInfo) {
  const state =
    disabled !== undefined ? `disabled ${disabled}` : seen === undefined ? 'never signed in' : `signed in ${seen}`
  return [
    name,
    role,
    source,
    teams.map((team) => team.name).join(',') || '-',
    String(keys),
    String(sessions),
    state,
    id,
  ]
}
