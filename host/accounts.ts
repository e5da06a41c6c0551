import type { GenerationAccount } from '../schemas/deploy/generation.ts'
import type { HostView } from './host.ts'
import type { HostProblem } from './problem.ts'

export type Account = {
  readonly name: string
  readonly uid: number
  readonly gid: number
  readonly home: string
  readonly shell: string
}
export type GroupEntry = { readonly name: string; readonly gid: number; readonly members: readonly string[] }
/** A line of subuid(5) or subgid(5). */
export type SubidRange = { readonly owner: string; readonly start: number; readonly count: number }

/** The accounts of a host, as its files say. */
export type Accounts = {
  readonly users: ReadonlyMap<string, Account>
  readonly groups: ReadonlyMap<string, GroupEntry>
  readonly subuids: readonly SubidRange[]
  readonly subgids: readonly SubidRange[]
  /** Users whose manager runs from boot on. */
  readonly linger: ReadonlySet<string>
}

/** Read from files, so that it takes the same time for any number of users. */
export function readAccounts(host: HostView): Accounts {
  const groups = fields(host.read('/etc/group')).flatMap(([name = '', , gid, members = '']) =>
    name === '' ? [] : [[name, { name, gid: Number(gid), members: members.split(',').filter(Boolean) }] as const],
  )
  return {
    users: readPasswd(host.read('/etc/passwd')),
    groups: new Map(groups),
    subuids: ranges(host.read('/etc/subuid')),
    subgids: ranges(host.read('/etc/subgid')),
    linger: new Set(host.list('/var/lib/systemd/linger')),
  }
}

/** By name. @see passwd(5) */
export function readPasswd(text: string | undefined): Map<string, Account> {
  const users = fields(text).flatMap(([name = '', , uid, gid, , home = '', shell = '']) =>
    name === '' ? [] : [[name, { name, uid: Number(uid), gid: Number(gid), home, shell }] as const],
  )
  return new Map(users)
}

/** The ids of every group that a user is in. */
export function gidsOf(user: Account, { groups }: Pick<Accounts, 'groups'>): number[] {
  const more = [...groups.values()].filter(({ members }) => members.includes(user.name)).map(({ gid }) => gid)
  return [...new Set([user.gid, ...more])]
}

/** What an account lacks of what it is to be. */
export type AccountChange = {
  readonly account: GenerationAccount
  readonly isNew: boolean
  /** Groups that it is to join. */
  readonly joins: readonly string[]
  /** Groups that an earlier generation gave it, and that it needs no more; and those of people. */
  readonly leaves: readonly string[]
  readonly needsSubuids: boolean
  readonly needsSubgids: boolean
  readonly needsLinger: boolean
}

/**
 * @param earlier accounts of the generations in use
 * @param people groups that no account of Gate may be in, whoever put it there
 */
export function accountChanges(
  wanted: readonly GenerationAccount[],
  there: Accounts,
  earlier: readonly GenerationAccount[] = [],
  people: readonly string[] = [],
): AccountChange[] {
  return wanted.flatMap((account) => {
    const { name, subuid, linger, groups } = account
    const has = (list: readonly SubidRange[]) =>
      list.some(({ owner, start, count }) => owner === name && start === subuid?.start && count >= subuid.count)
    const isMember = (group: string) => there.groups.get(group)?.members.includes(name) === true
    const given = earlier.flatMap((account) => (account.name === name ? account.groups : []))
    const had = new Set([...given, ...people])
    const change = {
      account,
      isNew: !there.users.has(name),
      joins: groups.filter((group) => !isMember(group)),
      leaves: [...had].filter((group) => !groups.includes(group) && isMember(group)),
      needsSubuids: subuid !== undefined && !has(there.subuids),
      needsSubgids: subuid !== undefined && !has(there.subgids),
      needsLinger: linger && !there.linger.has(name),
    }
    const { isNew, joins, leaves, needsSubuids, needsSubgids, needsLinger } = change
    const isLacking = isNew || needsSubuids || needsSubgids || needsLinger
    return isLacking || joins.length > 0 || leaves.length > 0 ? [change] : []
  })
}

/** Names and ids that are already taken: such a host is left as it is. */
export function accountConflicts(wanted: readonly GenerationAccount[], there: Accounts): HostProblem[] {
  const byUid = new Map([...there.users.values()].map((user) => [user.uid, user]))
  return wanted.flatMap(({ name, uid, subuid }): HostProblem[] => {
    const problems: HostProblem[] = []
    const own = there.users.get(name)
    const other = uid === undefined ? undefined : byUid.get(uid)
    if (own !== undefined && uid !== undefined && own.uid !== uid)
      problems.push({
        code: 'ACCOUNT_CONFLICT',
        message: `the user ${name} has the user id ${own.uid} on this host, not ${uid}`,
        hint: `write uid = ${own.uid} for this backend, or remove the user`,
      })
    if (other !== undefined && other.name !== name)
      problems.push({
        code: 'ACCOUNT_CONFLICT',
        message: `the user id ${uid} of ${name} belongs to ${other.name}`,
        hint: 'write another uid for this backend in the spec',
      })
    const inside = [...there.users.values()].find((user) => subuid !== undefined && isWithin(user.uid, subuid))
    if (inside !== undefined)
      problems.push({
        code: 'SUBID_CONFLICT',
        message: `the user id ${inside.uid} of ${inside.name} is a subordinate id of ${name} (from ${subuid?.start})`,
        hint: 'choose another range in gate.lock.json: containers of this backend could read the files of that user',
      })
    for (const [what, list] of [
      ['user', there.subuids],
      ['group', there.subgids],
    ] as const) {
      const overlap =
        subuid === undefined ? undefined : list.find((range) => overlaps(range, { owner: name, ...subuid }))
      if (overlap === undefined) continue
      problems.push({
        code: 'SUBID_CONFLICT',
        message: `subordinate ${what} ids of ${name} (from ${subuid?.start}) overlap those of ${overlap.owner} (from ${overlap.start})`,
        hint: `choose another range in gate.lock.json, or change /etc/sub${what === 'user' ? 'u' : 'g'}id`,
      })
    }
    return problems
  })
}

/** Whether an id is one of a range. */
export function isWithin(id: number, { start, count }: { readonly start: number; readonly count: number }): boolean {
  return id >= start && id < start + count
}

function overlaps(range: SubidRange, other: SubidRange): boolean {
  if (range.owner === other.owner) return false
  return range.start < other.start + other.count && other.start < range.start + range.count
}

function fields(text: string | undefined): string[][] {
  return (text ?? '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'))
}

function ranges(text: string | undefined): SubidRange[] {
  return fields(text).map(([owner = '', start, count]) => ({ owner, start: Number(start), count: Number(count) }))
}
