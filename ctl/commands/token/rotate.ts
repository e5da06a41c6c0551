import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import type { Run } from '../../invocation.ts'
import { meantKey } from './meant-key.ts'

export const run: Run = async ({ admin, arguments: [word], json, text, print, printJson, note }) => {
  const overlap = text('overlap')
  const body = overlap === undefined ? {} : { overlap }
  const rotated =
    word === undefined
      ? await admin.ask('POST /auth/rotate-token', { body })
      : await admin.ask('POST /api/admin/keys/{id}/rotate', {
          parameter: (await meantKey(admin, word))?.id ?? word,
          body,
        })
  if (json) {
    printJson(rotated)
    return 0
  }
  const { id, name, token, previous_valid_until: until } = rotated
  note(`${id} "${escapeControls(name)}" has another text, shown only once; the one before counts until ${until}:`)
  print(token)
  return 0
}
