import { join } from 'node:path'
import type { Deployment } from '../../compiler/ir/deployment.ts'
import { INSIDE } from '../../compiler/ir/names.ts'
import { sh } from '../../syntax/shell/print.ts'
import { type Accounts, gidsOf } from '../accounts.ts'
import type { FileStatus, HostView } from '../host.ts'
import type { HostProblem } from '../problem.ts'

/** A place of the host that a container sees. */
export type MountSource = {
  readonly source: string
  readonly container: string
  /** The account of the container. */
  readonly user: string
  readonly readOnly: boolean
}

type UsersAndMounts = {
  readonly prefix: string
  /** Accounts of Gate, there or not. */
  readonly users: readonly { readonly name: string; readonly uid?: number | undefined }[]
  readonly mounts: readonly MountSource[]
}

/** What the spec itself names: the directories of sockets and of the models are made by apply. */
export function mountSources({ containers, names }: Pick<Deployment, 'containers' | 'names'>): MountSource[] {
  return containers.flatMap(({ name: container, user, mounts }) =>
    mounts.flatMap((mount) =>
      mount.kind === 'path' && mount.target !== INSIDE.socketDirectory && mount.source !== names.modelsDirectory
        ? [{ source: mount.source, container, user, readOnly: mount.readOnly }]
        : [],
    ),
  )
}

/**
 * Mounts that the gateway's account or that of another backend could lead to another place of the host, or whose
 * content the gateway could change. Accounts of people are not looked at: what is in their directories is theirs.
 */
export function unsafeMounts(
  host: HostView,
  { prefix, users, mounts }: UsersAndMounts,
  accounts: Accounts,
): HostProblem[] {
  const all = users.flatMap(({ name, uid }): Power[] => {
    const there = accounts.users.get(name)
    if (there !== undefined) return [{ name, uid: there.uid, gids: gidsOf(there, accounts) }]
    return uid === undefined ? [] : [{ name, uid, gids: [uid] }]
  })
  return mounts.flatMap(({ source, container, user, readOnly }): HostProblem[] => {
    const others = all.filter(({ name }) => name !== user)
    // a directory that several backends write to is theirs
    const found = writablePlace(host, source, {
      above: others,
      itself: readOnly ? others : others.filter(({ name }) => name === prefix),
      isMade: (path) => path === `/var/lib/${prefix}` || path === `/var/lib/${prefix}/models`,
    })
    if (found === undefined) return []
    const { path, by } = found
    const message = `${container} mounts ${source}, and the account ${by} can write to ${path}: it could lead the container to another file`
    const hint = `take that from it, such as: ${sh`chown root: ${path}`} && ${sh`chmod go-w ${path}`}; or mount another directory`
    return [{ code: 'UNSAFE_MOUNT', message, hint }]
  })
}

type Power = { readonly name: string; readonly uid: number; readonly gids: readonly number[] }
type Question = {
  /** Who may write to no directory on the way. */
  readonly above: readonly Power[]
  /** Who may not write to the place itself. */
  readonly itself: readonly Power[]
  /** Directories that apply makes safe. */
  isMade(path: string): boolean
}

/** As many links in a row as Linux follows. @see path_resolution(7) */
const LINKS_MAX = 40

function writablePlace(
  host: HostView,
  source: string,
  { above, itself, isMade }: Question,
): { readonly path: string; readonly by: string } | undefined {
  let at = '/'
  let rest = source.split('/').filter(Boolean)
  let links = 0
  while (rest.length > 0) {
    const directory = host.status(at)
    const [name = '', ...more] = rest
    const next = join(at, name)
    const status = host.status(next)
    const writer = isMade(at) ? undefined : above.find((power) => canWrite(power, directory))
    const owner = above.find(({ uid }) => uid === status?.uid)
    // in a sticky directory an entry is replaced by its owner alone
    if (writer !== undefined && !isStickyFor(writer, directory)) return { path: at, by: writer.name }
    if (writer !== undefined && (status === undefined || owner !== undefined))
      return { path: next, by: (owner ?? writer).name }
    if (status?.target !== undefined && owner !== undefined) return { path: next, by: owner.name }
    if (status === undefined) return undefined // podman says that it is not there
    if (status.target === undefined) {
      at = next
      rest = more
      continue
    }
    links++
    if (links > LINKS_MAX) return undefined
    if (status.target.startsWith('/')) at = '/'
    rest = [...join(status.target).split('/').filter(Boolean), ...more]
  }
  if (isMade(at)) return undefined
  const writer = itself.find((power) => canWrite(power, host.status(at)))
  return writer === undefined ? undefined : { path: at, by: writer.name }
}

function canWrite({ uid, gids }: Power, status: FileStatus | undefined): boolean {
  if (status === undefined) return false
  if (status.uid === uid) return true // its owner can change the mode
  return (status.mode & 0o002) !== 0 || ((status.mode & 0o020) !== 0 && gids.includes(status.gid))
}

function isStickyFor({ uid }: Power, status: FileStatus | undefined): boolean {
  return status !== undefined && (status.mode & 0o1000) !== 0 && status.uid !== uid
}
