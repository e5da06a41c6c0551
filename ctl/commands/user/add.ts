import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import type { Run } from '../../invocation.ts'
import { newPassword } from '../../terminal/new-password.ts'
import { readRole } from './role.ts'

export const run: Run = async (invocation) => {
  const {
    admin,
    arguments: [name = ''],
    json,
    text,
    flag,
    print,
    printJson,
  } = invocation
  const [role, email] = [text('role'), text('email')]
  const body = {
    name,
    ...(role !== undefined && { role: readRole(role) }),
    ...(email !== undefined && { email }),
    ...(flag('password') && { password: await newPassword(invocation) }),
  }
  const user = await admin.ask('POST /api/admin/users', { body })
  if (json) printJson(user)
  else print(`added ${user.id} "${escapeControls(user.name)}", ${user.role}`)
  return 0
}
