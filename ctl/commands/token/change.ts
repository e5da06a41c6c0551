import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import { usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'
import { allowanceText } from '../../output/allowance-text.ts'
import { readNames, readScope } from './create.ts'
import { meantKey } from './meant-key.ts'

/** Options that take names, and the fields that these are; an empty text takes the limit away. */
const LISTS = {
  models: 'models',
  categories: 'categories',
  from: 'addresses',
  budgets: 'budgets',
  limits: 'limits',
} as const

export const run: Run = async ({ admin, arguments: [word = ''], json, text, flag, print, printJson }) => {
  const body: Record<string, unknown> = {}
  const [name, scopes, pinned, expires] = [text('name'), text('scopes'), text('pin'), text('expires')]
  if (name !== undefined) body['name'] = name
  if (scopes !== undefined) body['scopes'] = scopes.split(',').map(readScope)
  if (pinned !== undefined) body['pinned'] = pinned === '' ? null : pinned
  if (expires !== undefined) body['expires_in'] = expires === 'never' ? null : expires
  for (const [option, field] of Object.entries(LISTS)) {
    const given = text(option)
    if (given !== undefined) body[field] = given === '' ? null : readNames(given)
  }
  if (flag('disable') && flag('enable'))
    throw usageFailure('--disable and --enable contradict each other', 'give one of them')
  if (flag('disable') || flag('enable')) body['disabled'] = flag('disable')
  if (Object.keys(body).length === 0)
    throw usageFailure('nothing to change', 'gatectl token change --help shows the options')
  const changed = await admin.ask('PATCH /api/admin/keys/{id}', {
    parameter: (await meantKey(admin, word))?.id ?? word,
    body,
  })
  if (json) printJson(changed)
  else
    print(
      `${changed.id} "${escapeControls(changed.name)}", ${changed.state}, scopes ${changed.scopes.join(',')}, models ${escapeControls(allowanceText(changed))}`,
    )
  return 0
}
