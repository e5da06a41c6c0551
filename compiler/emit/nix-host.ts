import type { Deployment, User } from '../ir/deployment.ts'
import { userUnitDirectory, userUnitSource } from '../ir/names.ts'
import { type Attribute, boolean, from, integer, list, set, str } from '../syntax/nix.ts'
import { tmpfiles } from './accounts.ts'

/** Accounts with their ranges of subordinate ids; each has a group of its own name. */
export function nixAccounts({ users, groups }: Deployment): Attribute[] {
  const own = users.map(({ name, uid, origin }) => ({ name, gid: uid, origin }))
  const shared = groups.map(({ name, origin }) => ({ name, gid: undefined, origin }))
  return [
    {
      path: ['users', 'groups'],
      value: set(
        [...shared, ...own].map(({ name, gid, origin }) => ({
          path: [name],
          value: set(gid === undefined ? [] : [{ path: ['gid'], value: integer(gid) }]),
          origin,
        })),
      ),
    },
    {
      path: ['users', 'users'],
      value: set(users.map((user) => ({ path: [user.name], value: set(accountEntries(user)), origin: user.origin }))),
    },
  ]
}

function accountEntries({ name, uid, home, groups, subuid, linger, description }: User): Attribute[] {
  const range = (start: 'startUid' | 'startGid'): Attribute[] =>
    subuid === undefined
      ? []
      : [
          { path: [start], value: integer(subuid.start) },
          { path: ['count'], value: integer(subuid.count) },
        ]
  return [
    { path: ['isSystemUser'], value: boolean(true) },
    ...(uid === undefined ? [] : [{ path: ['uid'], value: integer(uid) }]),
    { path: ['group'], value: str(name) },
    ...(groups.length === 0 ? [] : [{ path: ['extraGroups'], value: list(groups.map((group) => str(group))) }]),
    { path: ['description'], value: str(description) },
    { path: ['home'], value: str(home) },
    ...(linger ? [{ path: ['linger'], value: boolean(true) }] : []),
    ...(subuid === undefined
      ? []
      : [
          { path: ['subUidRanges'], value: list([set(range('startUid'))]) },
          { path: ['subGidRanges'], value: list([set(range('startGid'))]) },
        ]),
  ]
}

/** Directories and links by tmpfiles.d; a backend's unit directory is a link to where this module's files are. */
export function nixDirectories({ prefix, directories, links, agents }: Deployment): Attribute[] {
  const unitLinks = agents.map(({ origin, uid, home }) => ({
    origin,
    path: userUnitDirectory(home),
    target: userUnitSource(prefix, uid),
  }))
  const linked = new Set(unitLinks.map(({ path }) => path))
  const { text, origins } = tmpfiles(
    { users: [], directories: directories.filter(({ path }) => !linked.has(path)), links: [...links, ...unitLinks] },
    [],
  )
  const rules = text
    .split('\n')
    .slice(0, -1)
    .map((rule, i) => from(origins[i] ?? '', str(rule)))
  return [{ path: ['systemd', 'tmpfiles', 'rules'], value: list(rules) }]
}

/** Ports by interface; those of no interface are open on all. */
export function nixFirewall({ firewall }: Deployment): Attribute[] {
  const byInterface = Map.groupBy(firewall, (rule) => rule.interface)
  return [...byInterface].flatMap(([name, rules]) => {
    const base = ['networking', 'firewall', ...(name === undefined ? [] : ['interfaces', name])]
    return (['tcp', 'udp'] as const).flatMap((protocol): Attribute[] => {
      const open = rules.filter((rule) => rule.protocol === protocol)
      const [first] = open
      if (first === undefined) return []
      const ports = [...new Set(open.map(({ port }) => port))].sort((a, b) => a - b)
      const option = protocol === 'tcp' ? 'allowedTCPPorts' : 'allowedUDPPorts'
      return [{ path: [...base, option], value: list(ports.map(integer)), origin: first.origin }]
    })
  })
}
