import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import type { Run } from '../../invocation.ts'

export const run: Run = async ({ admin, arguments: [id = ''], json, print, printJson }) => {
  const text = await admin.ask('GET /api/admin/texts/{id}', { parameter: id })
  if (json) printJson(text)
  else {
    print(
      `${text.at}  ${text.model}  key ${text.key_id}${text.cut_bytes > 0 ? `  ${text.cut_bytes} bytes left out` : ''}`,
    )
    for (const part of [text.prompt, text.answer]) print(`\n${part.split('\n').map(escapeControls).join('\n')}`)
  }
  return 0
}
