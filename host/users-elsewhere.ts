import type { Generation } from '../schemas/deploy/generation.ts'
import { type Account, type Accounts, readPasswd } from './accounts.ts'
import type { HostView } from './host.ts'

/**
 * Users with a name or an id of ours that are not in /etc/passwd. Asked only about accounts that are still to be made.
 * @see getent(1): what is not found is left out, with the code 2
 */
export async function usersElsewhere(host: HostView, { accounts }: Generation, there: Accounts): Promise<Account[]> {
  const keys = accounts.flatMap(({ name, uid }) =>
    there.users.has(name) ? [] : [name, ...(uid === undefined ? [] : [String(uid)])],
  )
  if (keys.length === 0) return []
  const { stdout } = await host.ask(['getent', 'passwd', ...keys], { timeoutMs: LOOKUP_TIMEOUT_MS })
  return [...readPasswd(stdout).values()].filter(({ name }) => !there.users.has(name))
}

/** A directory service that does not answer must not hold up a plan for long. */
const LOOKUP_TIMEOUT_MS = 20_000
