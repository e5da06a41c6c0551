import type { GenerationAccount } from '../../schemas/deploy/generation.ts'
import type { Account, Accounts } from '../accounts.ts'
import type { HostProblem } from '../problem.ts'
import type { Desired } from './desired.ts'
import type { Observed } from './observe.ts'

/** Ids below are the system's: useradd(8) begins here with people. */
const FIRST_PERSON = 1_000

/**
 * Accounts and groups that have a name of ours and were not made by us. systemd-sysusers keeps what is there, so a login
 * called gate would become the gateway, and own its keys.
 */
export function foreignAccounts({ generation }: Desired, observed: Observed): HostProblem[] {
  const { accounts, made, generations, elsewhere } = observed
  const known = [...generations.manifests.values()]
  const ownUsers = new Set([...made.accounts, ...known.flatMap((one) => one.accounts.map(({ name }) => name))])
  const ownGroups = new Set([...made.groups, ...known.flatMap((one) => one.groups)])
  const added = generation.accounts.filter(({ name }) => !ownUsers.has(name))
  const groups = generation.groups.filter((name) => !ownGroups.has(name))
  return [
    ...added.flatMap((account) => foreignUser(account, accounts)),
    ...added.flatMap((account) => elsewhere.flatMap((other) => userElsewhere(account, other))),
    ...groups.flatMap((name) => foreignGroup(name, undefined, accounts)),
    ...added.flatMap(({ name, uid }) => (accounts.users.has(name) ? [] : foreignGroup(name, uid, accounts))),
  ]
}

function foreignUser(wanted: GenerationAccount, { users }: Accounts): HostProblem[] {
  const there = users.get(wanted.name)
  if (there === undefined) return []
  const { name, uid, home, shell } = there
  const signs = [
    ...(wanted.uid === undefined && uid >= FIRST_PERSON ? [`the id ${uid}`] : []),
    ...(home === wanted.home ? [] : [`the home ${home || '""'}`]),
    ...(/\/(?:nologin|false)$/.test(shell) ? [] : [`the login shell ${shell || '/bin/sh'}`]),
  ]
  if (signs.length === 0) return []
  const message = `the user ${name} was not made by Gate: it has ${signs.join(', ')}`
  return [{ code: 'ACCOUNT_CONFLICT', message, hint: `rename it (usermod --login), or remove it if it has no use` }]
}

/** Of a directory service such as LDAP: systemd-sysusers would make no account beside it. */
function userElsewhere({ name, uid }: GenerationAccount, other: Account): HostProblem[] {
  if (other.name === name) {
    const message = `the user ${name} comes from a directory service (id ${other.uid}), not from /etc/passwd`
    return [{ code: 'ACCOUNT_CONFLICT', message, hint: 'rename it there: Gate needs an account of its own' }]
  }
  if (other.uid !== uid) return []
  const message = `the user id ${uid} of ${name} belongs to ${other.name} of a directory service`
  return [{ code: 'ACCOUNT_CONFLICT', message, hint: 'write another uid for this backend in the spec' }]
}

/** @param own id that the group is to have; undefined: the host picks one */
function foreignGroup(name: string, own: number | undefined, { groups }: Accounts): HostProblem[] {
  const there = groups.get(name)
  if (there === undefined || there.gid === own || there.gid < FIRST_PERSON) return []
  const members = there.members.length === 0 ? '' : ` and the members ${there.members.join(', ')}`
  const message = `the group ${name} was not made by Gate: it has the id ${there.gid}${members}`
  return [{ code: 'ACCOUNT_CONFLICT', message, hint: 'rename it (groupmod --new-name), or remove it if it has no use' }]
}
