import type { Accounts } from '../accounts.ts'
import type { Host } from '../host.ts'
import { isStray } from '../plan/stray-link.ts'
import { HostError } from '../problem.ts'
import { must } from './unit-actions.ts'

/**
 * Makes directories as tmpfiles.d(5) says. A link that an account has put in place of one of them is removed before:
 * systemd-tmpfiles refuses to follow it, and would make neither this directory nor those below.
 * @param tmpfiles its text, and the option that says which part of it is meant
 * @param say told of each link that is removed
 * @throws HostError PROGRAM_FAILED; all that could be made is there then
 */
export async function makeDirectories(
  host: Host,
  directories: readonly string[],
  { users }: Pick<Accounts, 'users'>,
  tmpfiles: { readonly text: string; readonly where: string },
  say: (progress: string) => void,
): Promise<void> {
  for (const path of directories) {
    const status = host.status(path)
    if (status === undefined || !isStray(status)) continue
    const owner = [...users.values()].find(({ uid }) => uid === status.uid)?.name ?? `the user id ${status.uid}`
    host.remove(path)
    say(`removed ${path}, a link of ${owner} to ${status.target}`)
  }
  try {
    await must(host, ['systemd-tmpfiles', '--create', tmpfiles.where, '-'], tmpfiles.text)
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    const [first] = error.problems
    const hint = 'move away what is at each path named below, then apply again'
    throw new HostError(first.code === 'PROGRAM_FAILED' ? { ...first, hint } : first)
  }
}
