import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import type { Run } from '../../invocation.ts'
import { meantKey } from './meant-key.ts'

export const run: Run = async ({ admin, arguments: [word = ''], json, print, printJson }) => {
  const meant = await meantKey(admin, word)
  const revoked = await admin.ask('DELETE /api/admin/keys/{id}', { parameter: meant?.id ?? word })
  if (json) printJson(revoked)
  else print(`revoked ${revoked.id}${meant === undefined ? '' : ` "${escapeControls(meant.name)}"`}`)
  return 0
}
