import { allOf, sh } from '../../../syntax/shell/print.ts'
import { type Account, type Accounts, gidsOf, isWithin, type SubidRange } from '../../accounts.ts'
import { readGenerations } from '../../generations/generations.ts'
import { localHost } from '../../host.ts'
import { HostError } from '../../problem.ts'
import type { Check, Subject } from '../check.ts'
import { command, edit, type Finding, fail, listed, ok, warn } from '../finding.ts'
import { lstatPath, namesIn, presentUsers, readHostAccounts, runProgram } from '../look.ts'

export type UserFacts = {
  readonly wanted: readonly {
    readonly name: string
    readonly uid: number | undefined
    readonly groups: readonly string[]
  }[]
  readonly accounts: Pick<Accounts, 'users' | 'groups'>
  /** Group of those who may open shells in the backends and give orders to the daemon: people. */
  readonly admins: string
  /** Name -> groups of the users that `gatectl apply` made last; undefined: it made none here. */
  readonly applied: ReadonlyMap<string, readonly string[]> | undefined
}

export const users: Check<UserFacts> = {
  name: 'users',
  summary: 'whether the accounts of the gateway and its backends exist, with their ids and groups and without a login',
  isForApplied: true,
  async observe({ deployment, names }) {
    const fallback = [{ name: names.user, uid: undefined, groups: [] }]
    const accounts = readHostAccounts()
    return { wanted: deployment?.users ?? fallback, accounts, admins: names.adminGroup, applied: appliedUsers(names) }
  },
  judge({ wanted, accounts, admins, applied }) {
    const isNew = ({ name }: { name: string }) => applied?.has(name) === false && !accounts.users.has(name)
    const added = wanted.filter(isNew).map(({ name }) => name)
    const findings = wanted
      .filter((user) => !isNew(user))
      .flatMap((user) => {
        const account = accounts.users.get(user.name)
        if (account === undefined) return [missing(user.name)]
        const gids = gidsOf(account, accounts)
        const isDue = (name: string) => added.length === 0 || applied?.get(user.name)?.includes(name) !== false
        const lost = user.groups.filter((name) => isDue(name) && !gids.includes(accounts.groups.get(name)?.gid ?? -1))
        return [
          ...wrongId(user, account),
          ...hasLogin(account),
          ...lost.map((name) => noMember(user.name, name, accounts.groups.has(name))),
          ...(gids.includes(accounts.groups.get(admins)?.gid ?? -1) ? [isAdmin(user.name, admins)] : []),
        ]
      })
    if (added.length > 0) findings.unshift(notApplied(added))
    return findings.length > 0 ? findings : [ok(`${listed(wanted.map(({ name }) => name))}: as they should be`)]
  },
}

function appliedUsers({ prefix }: Subject['names']): UserFacts['applied'] {
  try {
    const { manifests, current } = readGenerations(localHost(), prefix)
    const manifest = current === undefined ? undefined : manifests.get(current)
    return manifest && new Map(manifest.accounts.map(({ name, groups }) => [name, groups]))
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return undefined // the check of the generation says why
  }
}

function notApplied(names: readonly string[]): Finding {
  const why = 'the spec has changed since it was applied; what it adds is not checked'
  return fail(`${listed(names)} ${names.length === 1 ? 'is' : 'are'} not made yet`, why, command(sh`gatectl apply`))
}

function missing(name: string): Finding {
  return fail(`there is no user ${name}`, 'what runs as this user cannot start', command(sh`systemd-sysusers`))
}

function wrongId({ name, uid }: { name: string; uid: number | undefined }, account: Account): Finding[] {
  if (uid === undefined || uid === account.uid) return []
  const why = `the units of user ${uid} are not read by the manager of ${account.uid}`
  return [fail(`${name} has the id ${account.uid} instead of ${uid}`, why, command(sh`usermod --uid ${uid} ${name}`))]
}

function hasLogin({ name, shell }: Account): Finding[] {
  if (/\/(?:nologin|false)$/.test(shell)) return []
  const fix = command(sh`usermod --shell /usr/sbin/nologin ${name}`)
  return [warn(`${name} has the login shell ${shell}`, 'there is no need to log in as this user', fix)]
}

function noMember(name: string, group: string, exists: boolean): Finding {
  const join = sh`usermod --append --groups ${group} ${name}`
  const why = 'it gives access to the models or the GPU'
  return fail(
    `${name} is not a member of the group ${group}`,
    why,
    command(exists ? join : allOf(sh`groupadd --system ${group}`, join)),
  )
}

function isAdmin(name: string, group: string): Finding {
  const why = 'code in this account could open shells in backends and change the configuration, which only people may'
  return fail(`${name} is a member of the group ${group}`, why, command(sh`gpasswd --delete ${name} ${group}`))
}

export type SubidFacts = {
  readonly wanted: readonly {
    readonly name: string
    readonly uid: number | undefined
    readonly start: number
    readonly count: number
  }[]
  readonly files: Readonly<Record<'subuid' | 'subgid', readonly SubidRange[]>>
  /** Users of the host, and machines of systemd-nspawn by the owner of their root directory. */
  readonly others: readonly { readonly what: string; readonly id: number }[]
}

/** A rootless container needs as many ids as its image has users; podman(1) "Rootless mode". */
export const subids: Check<SubidFacts> = {
  name: 'subids',
  summary: 'whether each backend user has its subordinate user and group ids, and no other user has the same',
  isForApplied: true,
  async observe({ deployment }) {
    const wanted = presentUsers(deployment).flatMap(({ name, uid, subuid }) =>
      subuid === undefined ? [] : [{ name, uid, ...subuid }],
    )
    const { subuids, subgids, users } = readHostAccounts()
    const people = [...users.values()].map(({ name, uid }) => ({ what: `the user ${name}`, id: uid }))
    return { wanted, files: { subuid: subuids, subgid: subgids }, others: [...people, ...(await machines())] }
  },
  judge({ wanted, files, others }) {
    const findings = wanted.flatMap((user): Finding[] => {
      const lacking = (['subuid', 'subgid'] as const).filter(
        (file) => !files[file].some((range) => covers(range, user)),
      )
      if (lacking.length === 0) return []
      const range = `${user.start}-${user.start + user.count - 1}`
      const options = lacking.flatMap((file) => [file === 'subuid' ? '--add-subuids' : '--add-subgids', range])
      const kinds = lacking.map((file) => (file === 'subuid' ? 'user' : 'group')).join(' and ')
      const why = `/etc/${lacking.join(' and /etc/')} must give it ${range}; podman refuses to start its containers`
      return [fail(`${user.name} has no subordinate ${kinds} ids`, why, command(sh`usermod ${options} ${user.name}`))]
    })
    findings.push(...wanted.flatMap((user) => takenIds(user, others)))
    findings.push(...overlaps('/etc/subuid', files.subuid), ...overlaps('/etc/subgid', files.subgid))
    if (findings.length > 0) return findings
    return [
      ok(
        wanted.length === 0
          ? 'no two users share subordinate ids'
          : `${listed(wanted.map(({ name }) => name))} have their own`,
      ),
    ]
  },
}

/**
 * Deployments of before have ranges among those that systemd-nspawn gives to its machines, which it does not look up in
 * /etc/subuid. @see systemd-nspawn(1) "--private-users="
 */
async function machines(): Promise<{ what: string; id: number }[]> {
  const folder = '/var/lib/machines'
  const seen = (await namesIn(folder)).map(async (name) => ({ name, found: await lstatPath(`${folder}/${name}`) }))
  return (await Promise.all(seen)).flatMap(({ name, found }) =>
    found.kind === 'seen' ? [{ what: `the machine ${name} of systemd-nspawn`, id: found.value.uid }] : [],
  )
}

function takenIds(user: SubidFacts['wanted'][number], others: SubidFacts['others']): Finding[] {
  return others
    .filter(({ id }) => isWithin(id, user))
    .map(({ what, id }) => {
      const why = 'what runs in the one can read and write files of the other'
      const to = edit(
        'gate.lock.json',
        `another subuid for ${user.name}, then apply; its containers and volumes are made anew`,
      )
      return fail(`${what} has the id ${id}, which is a subordinate id of ${user.name}`, why, to)
    })
}

function covers({ owner, start, count }: SubidRange, user: SubidFacts['wanted'][number]): boolean {
  const isOwner = owner === user.name || owner === String(user.uid)
  return isOwner && start <= user.start && user.start + user.count <= start + count
}

function overlaps(file: string, ranges: readonly SubidRange[]): Finding[] {
  const sorted = ranges.toSorted((a, b) => a.start - b.start)
  return sorted.slice(1).flatMap((range, i) => {
    const before = sorted[i]
    if (before === undefined || before.owner === range.owner || before.start + before.count <= range.start) return []
    const why =
      'the containers of one can then touch the files of the other; gatectl apply gives a new backend ids of its own'
    const line = `${range.owner}:${range.start}:${range.count}`
    const fix = command(sh`sed -i ${`/^${line}$/d`} ${file}`)
    return [fail(`${before.owner} and ${range.owner} share ids from ${range.start} on in ${file}`, why, fix)]
  })
}

export type ManagerFacts = {
  readonly managers: readonly {
    readonly user: string
    readonly uid: number
    readonly lingers: boolean
    /** As systemctl says it: "active", "failed", …; "" when it says nothing. */
    readonly state: string
  }[]
}

/** Backends run below the managers of their users, which only linger keeps running. */
export const userManagers: Check<ManagerFacts> = {
  name: 'user-managers',
  summary: 'whether the managers of the backend users run now (user@.service) and from boot on (linger)',
  isForApplied: true,
  async observe({ deployment }, signal) {
    const lingering = presentUsers(deployment).flatMap(({ name, uid, linger }) =>
      linger && uid !== undefined ? [{ user: name, uid }] : [],
    )
    if (lingering.length === 0) return { managers: [] }
    const ran = await runProgram(
      ['systemctl', 'is-active', ...lingering.map(({ uid }) => `user@${uid}.service`)],
      signal,
    )
    const states = ran.stdout.trim().split('\n')
    const { linger } = readHostAccounts()
    const managers = lingering.map(({ user, uid }, i) => ({
      user,
      uid,
      lingers: linger.has(user),
      state: states[i] ?? '',
    }))
    return { managers }
  },
  judge({ managers }) {
    const findings = managers.flatMap(({ user, uid, lingers, state }) => [
      ...(lingers ? [] : [doesNotLinger(user)]),
      ...(state === 'active' ? [] : [isDown(user, uid, state)]),
    ])
    if (findings.length > 0) return findings
    const what =
      managers.length === 0
        ? 'no backend needs one'
        : `${listed(managers.map(({ user }) => user))}: running, and from boot on`
    return [ok(what)]
  },
}

function doesNotLinger(user: string): Finding {
  const why = 'its backends stop when this user has no session, and do not start at boot'
  return fail(`${user} does not linger`, why, command(sh`loginctl enable-linger ${user}`))
}

function isDown(user: string, uid: number, state: string): Finding {
  const what = state === '' ? `cannot query the manager of ${user}` : `the manager of ${user} is ${state}`
  const unit = `user@${uid}.service`
  return fail(
    what,
    `${unit} must run for its backends to start`,
    command(sh`systemctl reset-failed ${unit}; systemctl start ${unit}`),
  )
}
