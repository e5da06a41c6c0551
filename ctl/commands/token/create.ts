import { nearest } from '../../../schemas/words/nearest.ts'
import { SCOPES, type Scope } from '../../../schemas/words/scopes.ts'
import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import { usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'
import { allowanceText } from '../../output/allowance-text.ts'

export const run: Run = async ({ admin, json, text, flag, print, printJson, note }) => {
  const asked = text('scopes')
  const expires = text('expires')
  const models = readNames(text('models'))
  const categories = readNames(text('categories'))
  const pinned = text('pin')
  const isLimited = models !== undefined || categories !== undefined || pinned !== undefined
  if (pinned !== undefined && (models !== undefined || categories !== undefined)) {
    throw usageFailure(
      '--pin: a key that has one model for everything may use no others',
      'leave out --models and --categories',
    )
  }
  const body = {
    name: text('name') ?? 'gatectl',
    scopes: (asked ?? (isLimited ? 'chat:write' : 'admin')).split(',').map(readScope),
    ...(expires === undefined ? {} : { expires_in: expires }),
    ...(models !== undefined && { models }),
    ...(categories !== undefined && { categories }),
    ...(pinned !== undefined && { pinned }),
    ...(flag('trust-users') && { names_users: true as const }),
    ...given('addresses', readNames(text('from'))),
    ...given('budgets', readNames(text('budgets'))),
    ...given('limits', readNames(text('limits'))),
    ...given('owner', text('owner')),
    ...given('team', text('team')),
    ...(flag('service') && { service: true as const }),
  }
  const created = await admin.ask('POST /api/admin/keys', { body })
  if (asked === undefined && !isLimited) note('no --scopes given: this key may do everything (scope admin)')
  if (json) {
    printJson(created)
    return 0
  }
  const end = created.expires_at === undefined ? 'never expires' : `expires ${created.expires_at}`
  const what = isLimited ? `models ${escapeControls(allowanceText(created))}, ` : ''
  note(
    `created ${created.id} "${escapeControls(created.name)}", scopes ${created.scopes.join(',')}, ${what}${end}; it is shown only once:`,
  )
  print(created.token)
  return 0
}

/** A field of the body, where it was given. */
function given(name: string, value: string | readonly string[] | undefined): Record<string, unknown> {
  return value === undefined ? {} : { [name]: value }
}

/** @returns undefined where the option was not given */
export function readNames(text: string | undefined): string[] | undefined {
  return text?.split(',').map((name) => name.trim())
}

/** @throws Failure that names the scopes that were probably meant */
export function readScope(text: string): Scope {
  const word = text.trim()
  const scope = SCOPES.find((known) => known === word)
  if (scope !== undefined) return scope
  const within = SCOPES.filter((known) => known.startsWith(`${word}:`))
  const near = within.length > 0 ? within.join(' or ') : nearest(word, SCOPES)
  const hint = near === undefined ? `there are: ${SCOPES.join(', ')}` : `did you mean ${near}?`
  throw usageFailure(`--scopes: unknown scope "${word}"`, hint)
}
