import { homeDirectories } from '../../compiler/ir/names.ts'
import type { Generation } from '../../schemas/deploy/generation.ts'
import type { Account, Accounts } from '../accounts.ts'
import type { HostView } from '../host.ts'
import { foreignGenerated, readGenerated } from './generated.ts'
import { findLoaded, type Loaded } from './loaded.ts'

/**
 * What the account of a backend has put where a program reads it on its own, and where it would outlive the process
 * that wrote it. None of it is the deployment's, and an apply removes it. Paths can hold any character.
 */
export type Planted = {
  readonly user: string
  /** Directories of its home that are not root's yet, each after the one above it. */
  readonly untaken: readonly string[]
  /** Not root's, in directories of its home that are root's. */
  readonly inHome: readonly string[]
  /** Units, drop-ins, quadlets and D-Bus services below /run/user/<uid>, which is its own. */
  readonly inRuntime: readonly string[]
  /** Its crontab and jobs of at(1). */
  readonly jobs: readonly string[]
  /** What its manager has from elsewhere than from root's files. */
  readonly loaded: readonly Loaded[]
}

/** What is asked of a generation: its accounts, and the files of which some are their units. */
type Applied = {
  readonly accounts: readonly Pick<Generation['accounts'][number], 'name' | 'home' | 'linger'>[]
  readonly files: readonly Pick<Generation['files'][number], 'path'>[]
}

/** Named of one account; it can make any number. */
const MOST_NAMED = 16

/** @returns only accounts that have planted something, or whose home is not root's yet */
export async function findPlanted(
  host: HostView,
  { accounts, files }: Applied,
  { users }: Pick<Accounts, 'users'>,
): Promise<Planted[]> {
  const present = accounts.flatMap(({ name, home, linger }) => {
    const account = linger ? users.get(name) : undefined
    return account === undefined ? [] : [{ ...account, home }]
  })
  if (present.length === 0) return []
  const generated = await readGenerated(host)
  const own = present.flatMap(({ uid }) => [...ownUnits(files, uid)])
  const loaded = await findLoaded(host, present, new Set([...own, ...generated.texts.keys()]))
  return present.flatMap((account): Planted[] => {
    const { name, home } = account
    const runtime = `/run/user/${account.uid}`
    const planted = {
      user: name,
      untaken: ownDirectories(host, home).filter((path) => isUntaken(host, path)),
      inHome: notOfRoot(host, home).slice(0, MOST_NAMED),
      inRuntime: [
        ...READ_WHOLE.flatMap((inner) => entries(host, `${runtime}/${inner}`, 1)),
        ...foreignTransient(host, `${runtime}/systemd/transient`, ownUnits(files, account.uid)),
        ...foreignGenerated(host, account, generated, ownUnits(files, account.uid)),
      ].slice(0, MOST_NAMED),
      jobs: jobsOf(host, account),
      loaded: (loaded.get(name) ?? []).slice(0, MOST_NAMED),
    }
    return planted.untaken.length > 0 || isHarmful(planted) ? [planted] : []
  })
}

/** Whether what runs in the account may come from it. */
export const isHarmful = ({ inHome, inRuntime, jobs, loaded }: Planted): boolean =>
  inHome.length + inRuntime.length + jobs.length + loaded.length > 0

/** Where what an account had planted in its home goes: its data, which may be evidence. Root's alone. */
export const movedAside = (home: string): string => `${home}/.moved-aside`

/** The directories of a home that are, or become, root's, without any that is reached through a link of its account. */
function ownDirectories(host: HostView, home: string): string[] {
  const { root } = homeDirectories(home)
  const isFollowed = (path: string) => {
    const status = host.status(path)
    return status?.kind === 'directory' || status?.uid === 0
  }
  return root.filter((path) => root.filter((above) => `${path}/`.startsWith(`${above}/`)).every(isFollowed))
}

function isUntaken(host: HostView, path: string): boolean {
  const status = host.status(path)
  return status?.kind === 'directory' && (status.uid !== 0 || (status.mode & 0o022) !== 0)
}

/** What is not root's in the directories of a home that are, or become, root's. */
function notOfRoot(host: HostView, home: string): string[] {
  const { root, account } = homeDirectories(home)
  return ownDirectories(host, home).flatMap((directory) =>
    host.list(directory).flatMap((name) => {
      const path = `${directory}/${name}`
      if (account.includes(path)) return []
      const status = host.status(path)
      if (status === undefined || status.uid === 0) return []
      return status.kind === 'directory' && root.includes(path) ? [] : [path]
    }),
  )
}

/** Below /run/user/<uid>; an ordinary manager has nothing there. @see systemd.unit(5), podman-systemd.unit(5) */
const READ_WHOLE = ['systemd/user', 'systemd/user.control', 'containers/systemd', 'dbus-1/services']

/** What a directory holds, down to so many directories below it; a link in its place counts itself. */
function entries(host: HostView, directory: string, depth: number): string[] {
  const kind = host.status(directory)?.kind
  if (kind === undefined) return []
  if (kind !== 'directory') return [directory]
  return host.list(directory).flatMap((name) => {
    const path = `${directory}/${name}`
    const inner = depth > 0 && host.status(path)?.kind === 'directory' ? entries(host, path, depth - 1) : []
    return inner.length > 0 ? inner : [path]
  })
}

/**
 * podman has units there, for its health checks and the process that keeps its namespace, and systemd drop-ins of those.
 * They come before the deployment's own units of the same name.
 */
function foreignTransient(host: HostView, directory: string, own: ReadonlySet<string>): string[] {
  const kind = host.status(directory)?.kind
  if (kind !== undefined && kind !== 'directory') return [directory]
  const names = host.list(directory)
  const isOwn = (unit: string) => own.has(unit.replace(/@[^.]*\./, '@.'))
  // a drop-in of "gate-.service.d" or "service.d" is one of many units
  const isUnit = (name: string) => names.includes(name) && /[^-]\.[a-z]+$/.test(name)
  return names
    .filter((name) => {
      const of = /^(.*)\.(?:d|wants|requires|upholds)$/.exec(name)?.[1]
      if (of !== undefined) return isOwn(of) || !isUnit(of)
      // by a link, a unit of ours has another name, with drop-ins
      return isOwn(name) || host.status(`${directory}/${name}`)?.kind === 'link'
    })
    .map((name) => `${directory}/${name}`)
}

/** Units of an account in a generation; templates without an instance. */
function ownUnits(files: Applied['files'], uid: number): Set<string> {
  const units = files.flatMap(({ path }) => {
    const [, kind, name = ''] = path.match(`^quadlet/(users|user-units)/${uid}/([^/]*)`) ?? []
    if (kind === undefined) return []
    if (kind === 'user-units') return [name.replace(/\.d$/, '')]
    return [name.replace(/\.container$/, '.service').replace(/\.(?!service$)(\w+)$/, '-$1.service')]
  })
  return new Set(units)
}

/** Of cron and at(1), as Debian has them: any account may have some, also one without a login. */
export function jobsOf(host: HostView, { name, uid }: Account): string[] {
  const crontab = `/var/spool/cron/crontabs/${name}`
  const atJobs = host
    .list('/var/spool/cron/atjobs')
    .map((job) => `/var/spool/cron/atjobs/${job}`)
    .filter((path) => host.status(path)?.uid === uid)
  return [...(host.status(crontab) === undefined ? [] : [crontab]), ...atJobs]
}
