import type { TeamInfo } from '../../../schemas/api/users.ts'
import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { table } from '../../output/table.ts'
import { meantUser } from '../user/change.ts'

type Verb = (invocation: Invocation, team: string, user: string) => Promise<void>

const VERBS: Readonly<Record<string, Verb>> = {
  add: async (invocation, name) =>
    tell(invocation, 'added', await invocation.admin.ask('POST /api/admin/teams', { body: { name } })),
  list: async ({ admin, json, print, printJson, stdout }) => {
    const list = await admin.ask('GET /api/admin/teams')
    const row = ({ id, name, members }: TeamInfo) => [name, members.map((member) => member.name).join(', ') || '-', id]
    if (json) printJson(list)
    else print(table(['NAME', 'MEMBERS', 'ID'], list.teams.map(row), stdout))
  },
  join: async (invocation, team, user) => member(invocation, 'PUT', team, user),
  leave: async (invocation, team, user) => member(invocation, 'DELETE', team, user),
  remove: async (invocation, word) => {
    const team = await meantTeam(invocation.admin, word)
    await invocation.admin.ask('DELETE /api/admin/teams/{id}', { parameter: team.id })
    tell(invocation, 'removed', team)
  },
}

/** @param verb of the table */
export const teamCommand =
  (verb: string): Run =>
  async (invocation) => {
    const [team = '', user = ''] = invocation.arguments
    await VERBS[verb]?.(invocation, team, user)
    return 0
  }

async function member(invocation: Invocation, method: 'PUT' | 'DELETE', team: string, user: string): Promise<void> {
  const { admin } = invocation
  const parameters = { id: (await meantTeam(admin, team)).id, user: (await meantUser(admin, user)).id }
  tell(invocation, 'changed', await admin.ask(`${method} /api/admin/teams/{id}/members/{user}`, { parameters }))
}

function tell({ json, print, printJson }: Invocation, said: string, team: TeamInfo): void {
  const members = team.members.map(({ name }) => escapeControls(name)).join(', ')
  if (json) printJson(team)
  else print(`${said} ${team.id} "${escapeControls(team.name)}"${members === '' ? '' : `: ${members}`}`)
}

/** The team of this id, or of this name in any case; the daemon says so where there is none. @throws Failure */
async function meantTeam(admin: Invocation['admin'], word: string): Promise<TeamInfo> {
  const { teams } = await admin.ask('GET /api/admin/teams')
  const found = teams.find(({ id, name }) => id === word || name.toLowerCase() === word.toLowerCase())
  return found ?? (await admin.ask('GET /api/admin/teams/{id}', { parameter: word }))
}
