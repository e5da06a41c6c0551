import type { Accounts, GroupEntry } from '../../host/accounts.ts'
import type { FileStatus, HostView } from '../../host/host.ts'

/** What is at a path: directories of root unless it says otherwise. */
export type TreeEntry = Partial<Omit<FileStatus, 'modifiedMs' | 'changedMs'>>

/** A host of which only these paths are known; what is above them is there, too. */
export function hostOf(entries: Readonly<Record<string, TreeEntry>>): HostView {
  const tree = new Map(Object.entries(entries).map(([path, entry]) => [path, statusOf(entry)]))
  for (const path of [...tree.keys()])
    for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) if (!tree.has(at)) tree.set(at, statusOf({}))
  tree.set('/', statusOf(entries['/'] ?? {}))
  return {
    status: (path: string) => tree.get(path),
    list: (path: string) =>
      [...tree.keys()]
        .filter((one) => one !== '/' && one.slice(0, one.lastIndexOf('/')) === path)
        .map((one) => one.slice(path.length + 1))
        .sort(),
  } as Partial<HostView> as HostView
}

function statusOf(entry: TreeEntry): FileStatus {
  const kind = entry.kind ?? (entry.target === undefined ? 'directory' : 'link')
  return { kind, mode: 0o755, uid: 0, gid: 0, links: 1, target: undefined, modifiedMs: 0, changedMs: 0, ...entry }
}

/** Accounts with a group of their own, which has the same id, and groups with members. */
export function accountsOf(users: Record<string, number>, groups: Record<string, [number, ...string[]]>): Accounts {
  const all = Object.entries(users)
  return {
    users: new Map(all.map(([name, uid]) => [name, { name, uid, gid: uid, home: '/', shell: '/bin/false' }])),
    groups: new Map<string, GroupEntry>([
      ...all.map(([name, gid]) => [name, { name, gid, members: [] }] as const),
      ...Object.entries(groups).map(([name, [gid, ...members]]) => [name, { name, gid, members }] as const),
    ]),
    subuids: [],
    subgids: [],
    linger: new Set(),
  }
}
