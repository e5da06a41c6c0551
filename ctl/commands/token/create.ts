import { nearest } from '../../../schemas/words/nearest.ts'
import { SCOPES, type Scope } from '../../../schemas/words/scopes.ts'
import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import { usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'

export const run: Run = async ({ admin, json, text, print, printJson, note }) => {
  const asked = text('scopes')
  const expires = text('expires')
  const body = {
    name: text('name') ?? 'gatectl',
    scopes: (asked ?? 'admin').split(',').map(readScope),
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
    `created ${created.id} "${escapeControls(created.name)}", scopes ${created.scopes.join(',')}, ${end}; it is shown only once:`,
  )
  print(created.token)
  return 0
}

/** @throws Failure that names the scopes that were probably meant */
function readScope(text: string): Scope {
  const word = text.trim()
  const scope = SCOPES.find((known) => known === word)
  if (scope !== undefined) return scope
  const within = SCOPES.filter((known) => known.startsWith(`${word}:`))
  const near = within.length > 0 ? within.join(' or ') : nearest(word, SCOPES)
  const hint = near === undefined ? `there are: ${SCOPES.join(', ')}` : `did you mean ${near}?`
  throw usageFailure(`--scopes: unknown scope "${word}"`, hint)
}
