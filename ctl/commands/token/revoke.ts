import type { TokenInfo } from '../../../schemas/admin.ts'
import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import { failure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'

export const run: Run = async ({ admin, arguments: [word = ''], json, print, printJson }) => {
  const { tokens } = await admin.ask('GET /v1/tokens')
  const meant = meantBy(word, tokens)
  const revoked = await admin.ask('DELETE /v1/tokens/:', { parameter: meant?.id ?? word })
  if (json) printJson(revoked)
  else print(`revoked ${revoked.id}${meant === undefined ? '' : ` "${escapeControls(meant.name)}"`}`)
  return 0
}

/**
 * The key of this id, else the only one in force of this name, else the only one whose id begins so.
 * @returns undefined when there is none; the daemon then says so
 * @throws Failure AMBIGUOUS_KEY
 */
function meantBy(word: string, tokens: readonly TokenInfo[]): TokenInfo | undefined {
  const valid = tokens.filter(({ revoked_at }) => revoked_at === undefined)
  const exact = valid.find(({ id }) => id === word)
  if (exact !== undefined) return exact
  const named = valid.filter(({ name }) => name === word)
  const found = named.length > 0 ? named : valid.filter(({ id }) => word !== '' && id.startsWith(word))
  if (found.length <= 1) return found[0]
  const what = named.length > 0 ? 'have this name' : 'begin with this'
  throw failure('AMBIGUOUS_KEY', `${found.length} keys ${what}: ${word}`, {
    hint: `give more of the id: ${found.map(({ id }) => id).join(', ')}`,
  })
}
