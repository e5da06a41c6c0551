import type { UserInfo } from '../../../schemas/api/users.ts'
import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { newPassword } from '../../terminal/new-password.ts'
import { readRole } from './role.ts'

/** What was done, in words, and the answer. */
type Done = { readonly said: string; readonly answer: unknown }
type Change = (invocation: Invocation, user: UserInfo) => Promise<Done>

const CHANGES: Readonly<Record<string, Change>> = {
  disable: (invocation, user) => patch(invocation, user, { disabled: true }, 'disabled'),
  enable: (invocation, user) => patch(invocation, user, { disabled: false }, 'enabled'),
  role: (invocation, user) => {
    const role = readRole(invocation.arguments[1] ?? '')
    return patch(invocation, user, { role }, `${role} now:`)
  },
  password: async (invocation, user) => {
    const password = invocation.flag('none') ? null : await newPassword(invocation)
    return patch(invocation, user, { password }, password === null ? 'without a password now:' : 'new password of')
  },
  'sign-out': async ({ admin }, { id }) => {
    const answer = await admin.ask('DELETE /api/admin/users/{id}/sessions', { parameter: id })
    return { said: `${answer.sessions} sessions ended of`, answer }
  },
  remove: async ({ admin }, { id }) => ({
    said: 'removed',
    answer: await admin.ask('DELETE /api/admin/users/{id}', { parameter: id }),
  }),
}

/** @param verb of the table */
export const changes =
  (verb: string): Run =>
  async (invocation) => {
    const {
      admin,
      arguments: [word = ''],
      json,
      print,
      printJson,
    } = invocation
    const user = await meantUser(admin, word)
    const change = CHANGES[verb]
    if (change === undefined) throw new RangeError(`no change is called ${verb}`)
    const { said, answer } = await change(invocation, user)
    if (json) printJson(answer)
    else print(`${said} ${user.id} "${escapeControls(user.name)}"`)
    return 0
  }

async function patch({ admin }: Invocation, { id }: UserInfo, body: object, said: string): Promise<Done> {
  return { said, answer: await admin.ask('PATCH /api/admin/users/{id}', { parameter: id, body }) }
}

/** The person of this id, or of this name in any case; the daemon says so where there is none. @throws Failure */
export async function meantUser(admin: Invocation['admin'], word: string): Promise<UserInfo> {
  const { users } = await admin.ask('GET /api/admin/users')
  const named = users.find(({ id, name }) => id === word || name.toLowerCase() === word.toLowerCase())
  return named ?? (await admin.ask('GET /api/admin/users/{id}', { parameter: word }))
}
