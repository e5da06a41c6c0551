import type { Accounts } from '../accounts.ts'
import type { Host } from '../host.ts'
import type { Observed } from '../plan/observe.ts'
import { isHarmful, movedAside, type Planted } from '../plan/planted.ts'
import { endAccount } from './end-account.ts'
import { must } from './unit-actions.ts'

/** Makes homes root's from the top down, and moves away what accounts had put there. No unit stops for it. */
export async function takeHomes(host: Host, planted: readonly Planted[], { users }: Accounts): Promise<void> {
  for (const { user, untaken, inHome } of planted) {
    const home = users.get(user)?.home
    if (home === undefined) continue
    // each directory above is root's by now: nothing can be put in place of what was looked at
    for (const path of untaken) {
      if (host.status(path)?.kind !== 'directory') continue
      await must(host, ['chown', '--no-dereference', 'root:root', path])
      await must(host, ['chmod', '0755', path])
    }
    for (const path of inHome) if (host.status(path) !== undefined) moveAside(host, home, path)
  }
}

function moveAside(host: Host, home: string, path: string): void {
  const aside = movedAside(home)
  host.makeDirectory(aside, 0o700)
  const name = path.slice(home.length + 1).replaceAll('/', '+')
  const taken = new Set(host.list(aside))
  let free = name
  for (let i = 2; taken.has(free); i++) free = `${name}.${i}`
  host.rename(path, `${aside}/${free}`)
}

/**
 * Ends everything in accounts that have planted something, and with it /run/user/<uid>: what runs may come from that.
 * Their managers start anew.
 */
export async function renewAccounts(host: Host, planted: readonly Planted[], { accounts }: Observed): Promise<void> {
  for (const { user, loaded } of planted.filter(isHarmful)) {
    const account = accounts.users.get(user)
    if (account === undefined) continue
    // systemd would wait two minutes for one that does not answer
    if (loaded.some(({ what }) => what === 'manager')) await endAccount(host, account, accounts.subuids)
    await must(host, ['systemctl', 'stop', `user@${account.uid}.service`])
    await endAccount(host, account, accounts.subuids)
    await must(host, ['systemctl', 'stop', `user-runtime-dir@${account.uid}.service`])
    await must(host, ['systemctl', 'start', `user@${account.uid}.service`])
  }
}
