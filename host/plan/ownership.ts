import { type ShellCommand, sh } from '../../syntax/shell/print.ts'
import type { Accounts } from '../accounts.ts'
import type { FileStatus, HostView } from '../host.ts'
import type { HostProblem } from '../problem.ts'
import type { Desired } from './desired.ts'

/** What is to belong to another account or to have other permissions; nothing is said of what is not there yet. */
export type OwnershipChange = { readonly path: string; readonly from: string; readonly to: string }

type StateDirectory = {
  readonly path: string
  readonly mode: number
  readonly user: string
  readonly group: string
}

/** Deeper than models are; a path of the kernel's greatest length has more. */
const DEPTH_MAX = 32

/** Everything of the daemon's state; also without the directory itself. */
export const statePath = (prefix: string): string => `/var/lib/${prefix}`

/** The text that systemd-tmpfiles gets. */
export const tmpfilesText = ({ texts }: Desired): string =>
  [...texts].find(([path]) => path.startsWith('systemd/tmpfiles.d/'))?.[1] ?? ''

/** The state directory and that of the models, as a generation of any version wants them. */
function stateDirectories(desired: Desired): StateDirectory[] {
  const state = statePath(desired.generation.prefix)
  return [...tmpfilesText(desired).matchAll(/^d (\/\S+) ([0-7]+) (\S+) (\S+) -$/gm)]
    .map(([, path = '', mode = '', user = '', group = '']) => ({ path, mode: Number.parseInt(mode, 8), user, group }))
    .filter(({ path }) => path === state || path.startsWith(`${state}/`))
}

/** The models directory of a generation in which it is root's; undefined in older ones, where it was the daemon's. */
export function rootsModels(desired: Desired): StateDirectory | undefined {
  const state = statePath(desired.generation.prefix)
  return stateDirectories(desired).find(({ path, user }) => path === `${state}/models` && user === 'root')
}

/** Directories of state that are another's, and what accounts of Gate own in the models. */
export function ownershipChanges(host: HostView, desired: Desired, accounts: Accounts): OwnershipChange[] {
  const nameOf = namesOf(accounts)
  const models = rootsModels(desired)
  return [
    ...stateDirectories(desired).flatMap(({ path, mode, user, group }) => {
      const status = host.status(path)
      const to = `${user}:${group} ${mode.toString(8)}`
      return status === undefined || nameOf(status) === to ? [] : [{ path, from: nameOf(status), to }]
    }),
    ...(models === undefined ? [] : [...foreignModels(host, desired, accounts, models.path)]).map(
      ({ path, status }) => ({ path, from: nameOf(status), to: `root:${models?.group}` }),
    ),
  ]
}

/** What cannot be made root's without changing something elsewhere, or has been put there to lead elsewhere. */
export function ownershipProblems(host: HostView, desired: Desired, accounts: Accounts): HostProblem[] {
  const odd = stateDirectories(desired).flatMap(({ path }): HostProblem[] => {
    const status = host.status(path)
    if (status === undefined || status.kind === 'directory') return []
    const what = status.kind === 'link' ? `is a link to ${status.target}` : 'is not a directory'
    const hint = `look at what put it there, then remove it: ${sh`rm ${path}`}; models from elsewhere are given by mounts = [{ source = …, path = "/models" }]`
    return [unsafe(`${path} ${what}`, hint)]
  })
  const models = rootsModels(desired)
  if (odd.length > 0 || models === undefined || host.status(models.path) === undefined) return odd
  return [...foreignModels(host, desired, accounts, models.path)].flatMap(({ path, status, depth }): HostProblem[] => {
    if (depth > DEPTH_MAX) return [unsafe(`${path} is too deep to be a model`, `remove it: ${sh`rm -r ${path}`}`)]
    if (status.kind !== 'file' || status.links === 1) return []
    const hint = `find its other name: ${otherName(path)}; then remove the wrong one`
    return [unsafe(`${path} has ${status.links} names (hard links), so its owner is not changed`, hint)]
  })
}

const otherName = (path: string): ShellCommand => sh`find / -xdev -samefile ${path}`

const unsafe = (message: string, hint: string): HostProblem => ({ code: 'UNSAFE_MODELS', message, hint })

export type ForeignModel = { readonly path: string; readonly status: FileStatus; readonly depth: number }

/**
 * What accounts of Gate own below the models directory. Each directory comes before what is in it, and is read only
 * when the next one is asked for: once it is root's, what was read of it stays true.
 */
export function* foreignModels(
  host: HostView,
  { generation }: Desired,
  { users }: Accounts,
  directory: string,
): Generator<ForeignModel> {
  const uids = new Set(generation.accounts.flatMap(({ name, uid }) => users.get(name)?.uid ?? uid ?? []))
  yield* foreignBelow(host, directory, uids, 1)
}

function* foreignBelow(
  host: HostView,
  directory: string,
  uids: ReadonlySet<number>,
  depth: number,
): Generator<ForeignModel> {
  for (const name of host.list(directory)) {
    const path = `${directory}/${name}`
    const status = host.status(path)
    if (status === undefined) continue
    if (uids.has(status.uid)) yield { path, status, depth }
    if (status.kind === 'directory' && depth <= DEPTH_MAX) yield* foreignBelow(host, path, uids, depth + 1)
  }
}

/** "gate:gate-models 2750". */
function namesOf({ users, groups }: Accounts): (status: FileStatus) => string {
  const userNames = new Map([...users.values()].map(({ uid, name }) => [uid, name]))
  const groupNames = new Map([...groups.values()].map(({ gid, name }) => [gid, name]))
  return ({ uid, gid, mode }) => `${userNames.get(uid) ?? uid}:${groupNames.get(gid) ?? gid} ${mode.toString(8)}`
}
