import type { KeyInfo } from '../../../schemas/api/keys.ts'
import { failure } from '../../failure.ts'
import type { Invocation } from '../../invocation.ts'

/**
 * The key of this id, else the only one in force of this name, else the only one whose id begins so.
 * @returns undefined when there is none; the daemon then says so
 * @throws Failure AMBIGUOUS_KEY
 */
export async function meantKey(admin: Invocation['admin'], word: string): Promise<KeyInfo | undefined> {
  const { keys } = await admin.ask('GET /api/admin/keys')
  const valid = keys.filter(({ revoked_at }) => revoked_at === undefined)
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
