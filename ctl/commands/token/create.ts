import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import type { Run } from '../../invocation.ts'

export const run: Run = async ({ admin, json, text, print, printJson, note }) => {
  const asked = text('scopes')
  const expires = text('expires')
  const body = {
    name: text('name') ?? 'gatectl',
    scopes: (asked ?? 'admin').split(',').map((scope) => scope.trim()),
    ...(expires === undefined ? {} : { expires_in: expires }),
  }
  const created = await admin.ask('POST /v1/tokens', { body })
  if (asked === undefined) note('no --scopes given: this key may do everything (scope admin)')
  if (json) {
    printJson(created)
    return 0
  }
  const end = created.expires_at === undefined ? 'never expires' : `expires ${created.expires_at}`
  note(
    `created ${created.id} "${escapeControls(created.name)}", scopes ${created.scopes.join(',')}, ${end}; it is shown only this once:`,
  )
  print(created.token)
  return 0
}
