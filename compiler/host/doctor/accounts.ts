import type { Deployment } from '../../ir/deployment.ts'
import { textOf } from './look.ts'

/** An account of /etc/passwd with the groups that it is a member of. */
export type Account = {
  readonly name: string
  readonly uid: number
  readonly home: string
  readonly shell: string
  readonly gids: readonly number[]
}

/** Name -> number, of /etc/group. */
export type GroupIds = ReadonlyMap<string, number>

/** The accounts of this host. Gate's are always in these files; others may come from elsewhere. */
export async function readAccounts(): Promise<{ accounts: ReadonlyMap<string, Account>; groups: GroupIds }> {
  const [passwd, group] = await Promise.all([textOf('/etc/passwd'), textOf('/etc/group')])
  return parseAccounts(passwd, group)
}

/** Users of a deployment that exist. What the others lack follows from that, and is one line of the check `users`. */
export async function presentUsers(deployment: Deployment | undefined): Promise<Deployment['users']> {
  const { accounts } = await readAccounts()
  return (deployment?.users ?? []).filter(({ name }) => accounts.has(name))
}

/** @see passwd(5), group(5) */
export function parseAccounts(passwd: string, group: string) {
  const groups = rows(group).map(([name = '', , gid = '', members = '']) => ({ name, gid: Number(gid), members }))
  const accounts = rows(passwd).map(([name = '', , uid = '', gid = '', , home = '', shell = '']): Account => {
    const more = groups.filter(({ members }) => members.split(',').includes(name)).map((entry) => entry.gid)
    return { name, uid: Number(uid), home, shell, gids: [...new Set([Number(gid), ...more])] }
  })
  return {
    accounts: new Map(accounts.map((account) => [account.name, account])),
    groups: new Map(groups.map(({ name, gid }) => [name, gid])),
  }
}

export function rows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.includes(':') && !line.startsWith('#'))
    .map((line) => line.trim().split(':'))
}
