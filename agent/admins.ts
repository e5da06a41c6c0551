import { readFileSync } from 'node:fs'
import { AgentRefusal } from './agent-error.ts'
import { uidOf } from './peer.ts'
import { runProgram } from './program.ts'

/** Who decides over shells. */
export type ShellAccounts = {
  /** Account of the gateway, which gets none. */
  readonly gateway: string
  /** Group whose members get one, beside root. */
  readonly admins: string
}

/** Where accounts are looked up. */
export type AccountSources = {
  readonly read: (file: '/etc/passwd' | '/etc/group') => string
  /** Asks the name services. @returns text of passwd(5), empty when there is no such user */
  readonly lookUp: (uid: number) => Promise<string>
}

const OF_THIS_HOST: AccountSources = { read: (file) => readFileSync(file, 'utf8'), lookUp: askNameServices }
/** A name service that does not answer. */
const LOOKUP_MS = 10_000

/**
 * The user who may open a shell. The permissions of the socket let nobody else connect; this is asked as well, since
 * its directory belongs to the account of the backend. Memberships are those of this host's /etc/group, by name or as
 * the user's own group; the user may come from a name service.
 * @param uid of the peer, as the kernel says; undefined: it does not
 * @returns the user's name
 * @throws AgentRefusal PEER_REFUSED for everyone else, and for whom this cannot be determined; FAILED without getent
 */
export async function shellUser(
  uid: number | undefined,
  { gateway, admins }: ShellAccounts,
  { read, lookUp }: AccountSources = OF_THIS_HOST,
): Promise<string> {
  if (uid === undefined) throw refused('it cannot be determined who asks')
  if (uid === 0) return 'root'
  const passwd = read('/etc/passwd')
  const gatewayUid = uidOf(gateway, passwd)
  if (gatewayUid === undefined) throw refused(`there is no account ${gateway} in /etc/passwd`)
  if (uid === gatewayUid) throw refused(`${gateway} opens no shells, whatever groups it is in`)
  const here = usersOf(uid, passwd)
  const users = here.length > 0 ? here : usersOf(uid, await lookUp(uid))
  const [user] = users
  if (user === undefined) throw refused(`there is no user ${uid}`)
  const group = groupOf(admins, read('/etc/group'))
  if (group === undefined) throw refused(`there is no group ${admins} in /etc/group`)
  const member = users.find(({ name, gid }) => gid === group.gid || group.members.includes(name))
  if (member !== undefined) return member.name
  const hint = `sudo gpasswd --add ${user.name} ${admins}`
  throw refused(`${user.name} is not a member of ${admins} in /etc/group`, hint)
}

function refused(why: string, hint?: string): AgentRefusal {
  return new AgentRefusal('PEER_REFUSED', `no shell: ${why}`, hint)
}

/** Every account with this id. @param passwd text of passwd(5) */
function usersOf(uid: number, passwd: string): { readonly name: string; readonly gid: number }[] {
  return fieldsOf(passwd).flatMap(([name = '', , id, gid = '']) =>
    name !== '' && id === String(uid) && /^\d{1,10}$/.test(gid) ? [{ name, gid: Number(gid) }] : [],
  )
}

/** @param text of group(5) @returns undefined when there is no such group */
function groupOf(name: string, text: string): { gid: number; members: readonly string[] } | undefined {
  const [, , gid = '', members = ''] = fieldsOf(text).find(([first]) => first === name) ?? []
  return /^\d{1,10}$/.test(gid) ? { gid: Number(gid), members: members.split(',').filter(Boolean) } : undefined
}

const fieldsOf = (text: string) => text.split('\n').map((line) => line.split(':'))

async function askNameServices(uid: number): Promise<string> {
  const late = AbortSignal.timeout(LOOKUP_MS)
  try {
    const { code, stdout } = await runProgram('getent', ['passwd', String(uid)], late)
    return code === 0 ? stdout : ''
  } catch (error) {
    if (!late.aborted) throw error
    throw refused(`getent passwd ${uid} did not answer within ${LOOKUP_MS / 1000} s`)
  }
}
