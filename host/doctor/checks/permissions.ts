import type { Deployment } from '../../../compiler/ir/deployment.ts'
import { stateDirectories } from '../../../compiler/ir/lower-gateway.ts'
import { DATABASE_NAMES } from '../../../store/sqlite/database-names.ts'
import { type ShellCommand, sh } from '../../../syntax/shell/print.ts'
import type { Accounts } from '../../accounts.ts'
import type { Check, Subject } from '../check.ts'
import { command, edit, type Finding, fail, ok, ROOT_SEES_MORE, skip } from '../finding.ts'
import { linkTarget, lstatPath, namesIn, readHostAccounts, statPath } from '../look.ts'

export type PermissionFacts = {
  readonly places: readonly (Place & {
    /**
     * The account that decides what is at this path, because it may write to a directory above; undefined: root. Root
     * follows no link there, and changes nothing by its path.
     */
    readonly holder: string | undefined
    readonly found: Found
  })[]
}
type Found =
  | { readonly kind: 'absent' | 'denied' }
  /** Made by the holder. */
  | { readonly kind: 'link'; readonly target: string }
  | {
      readonly kind: 'seen'
      readonly mode: number
      readonly owner: string
      readonly group: string
      /** Of a file: how many it has. */
      readonly names: number
    }
type Place = {
  readonly path: string
  readonly isDirectory: boolean
  /** Bits that it may have; one more is a finding. */
  readonly mode: number
  /** Bits without which it does not work. */
  readonly needs: number
  readonly owner: string
  readonly group: string | undefined
  /** What a bit too many gives away. */
  readonly why: string
}

export const permissions: Check<PermissionFacts> = {
  name: 'permissions',
  summary:
    'whether configuration, state, secrets and socket directories have the right owners, no excess permissions (secrets 600), and no links where another account could put one',
  isForApplied: true,
  async observe(subject) {
    const wanted = await wantedPlaces(subject)
    const nameOf = namesOfIds(readHostAccounts())
    const places = wanted.map(async (place) => {
      const above = wanted.find((other) => writerOf(other) !== undefined && place.path.startsWith(`${other.path}/`))
      return {
        ...place,
        holder: above && writerOf(above),
        found: await lookAt(place.path, above !== undefined, nameOf),
      }
    })
    return { places: await Promise.all(places) }
  },
  judge({ places }) {
    const findings = places.flatMap(judgeOne)
    const denied = places.filter(({ found }) => found.kind === 'denied').length
    if (denied > 0) findings.push(skip(`${denied} of ${places.length} places`, ROOT_SEES_MORE))
    const seen = places.length - denied
    return findings.some(({ status }) => status === 'fail')
      ? findings
      : [ok(`${seen} places looked at: as they should be`), ...findings]
  },
}

/** The account other than root that may make files in a directory; each of Gate's has a group of its name. */
function writerOf({ isDirectory, owner, group, mode }: Place): string | undefined {
  if (!isDirectory) return undefined
  return owner !== 'root' ? owner : (mode & 0o020) === 0 ? undefined : group
}

type NameOf = { readonly user: (uid: number) => string; readonly group: (gid: number) => string }

function namesOfIds({ users, groups }: Accounts): NameOf {
  const userNames = new Map([...users.values()].map(({ uid, name }) => [uid, name]))
  const groupNames = new Map([...groups.values()].map(({ name, gid }) => [gid, name]))
  return { user: (uid) => userNames.get(uid) ?? String(uid), group: (gid) => groupNames.get(gid) ?? String(gid) }
}

/** @param isHeld whether an account other than root can put something else there. A link of root's is followed */
async function lookAt(path: string, isHeld: boolean, nameOf: NameOf): Promise<Found> {
  const itself = await lstatPath(path)
  if (itself.kind !== 'seen') return { kind: itself.kind }
  const isLink = itself.value.isSymbolicLink()
  if (isHeld && isLink && itself.value.uid !== 0) {
    const target = await linkTarget(path)
    return { kind: 'link', target: target.kind === 'seen' ? target.value : '?' }
  }
  const seen = isLink ? await statPath(path) : itself
  if (seen.kind !== 'seen') return { kind: seen.kind }
  const { mode, uid, gid, nlink } = seen.value
  const names = seen.value.isFile() ? nlink : 1
  return { kind: 'seen', mode: mode & 0o7777, owner: nameOf.user(uid), group: nameOf.group(gid), names }
}

type Judged = PermissionFacts['places'][number]

function judgeOne(place: Judged): Finding[] {
  const { path, mode, needs, owner, group, why, found, holder } = place
  if (found.kind === 'link') {
    const danger = `${holder} decides where it leads; root, and what root pastes, must not follow it`
    return [fail(`${path} is a link to ${found.target}`, danger, command(sh`rm ${path}`))]
  }
  if (found.kind !== 'seen') return [] // what is absent is another check's matter
  if (holder !== undefined && found.names > 1) {
    const danger = 'a change of it changes what goes by its other name, which may be a file of root'
    const find = `find the other name: ${sh`find / -xdev -samefile ${path}`}; and remove the wrong one`
    return [fail(`${path} has ${found.names} names (hard links)`, danger, edit(path, find))]
  }
  const findings: Finding[] = []
  const wantsGroup = group !== undefined && found.group !== group
  if (found.owner !== owner || wantsGroup) {
    const wanted = group === undefined ? owner : `${owner}:${group}`
    const what = `${path} belongs to ${found.owner}:${found.group} instead of ${wanted}`
    findings.push(fail(what, why, command(sh`chown --no-dereference ${wanted} ${path}`)))
  }
  const isOpen = (found.mode & ~mode & 0o777) !== 0
  const isClosed = (found.mode & needs) !== needs
  const isSticky = (mode & ~found.mode & STICKY) === 0
  if (!isOpen && !isClosed && isSticky) return findings
  const kind = isOpen
    ? (found.mode & ~mode & 0o007) !== 0
      ? 'is open to every user'
      : 'is open to its group'
    : isClosed
      ? 'is closed to those who need it'
      : 'lets its group replace what belongs to root'
  const danger = isOpen || !isSticky ? why : 'the daemon or a backend cannot go through it'
  findings.push(fail(`${path} ${kind} (mode ${found.mode.toString(8)})`, danger, command(changeMode(place))))
  return findings
}

/** Of a directory: its entries are replaced by their owners alone. */
const STICKY = 0o1000

/** By path only where no other account can put a link in between: chmod(1) follows it. */
function changeMode({ path, mode, owner, holder, isDirectory }: Judged): ShellCommand {
  const bits = mode.toString(8).padStart(4, '0')
  if (holder === undefined) return sh`chmod ${bits} ${path}`
  // it sets what its configuration says, and follows no link of another account
  if (isDirectory) return sh`systemd-tmpfiles --create ${`--prefix=${path}`}`
  return sh`runuser -u ${owner} -- chmod ${bits} ${path}`
}

async function wantedPlaces({ deployment, names }: Subject): Promise<Place[]> {
  const { user, adminGroup } = names
  const state = names.stateDirectory
  const secret = (path: string, owner: string, mode = 0o600): Place => ({
    path,
    isDirectory: false,
    mode,
    needs: 0,
    owner,
    group: undefined,
    why: 'it contains secrets, or prompts and answers',
  })
  const generated = (await namesIn(names.generatedDirectory)).map((name) => `${names.generatedDirectory}/${name}`)
  const packaged = [
    ...stateDirectories(names),
    ...[names.configDirectory, names.runtimeDirectory].map((path) => ({
      path,
      mode: 0o755,
      user: 'root',
      group: 'root',
    })),
  ]
  const directories = (deployment?.directories ?? packaged).map(({ path, mode, user: owner, group }) =>
    directory(path, mode, owner, group),
  )
  const databases = DATABASE_NAMES.flatMap((name) => [name, `${name}-wal`, `${name}-shm`])
  const known = [
    'config.toml',
    'gate.lock',
    'sealing.key',
    'keyring.json',
    'audit.head',
    'gate.db-leases',
    ...databases,
  ]
  const journals = (await namesIn(state)).filter((name) => name.startsWith('gate.db-usage-'))
  const files = [...known, ...journals].map((name) => secret(`${state}/${name}`, user))
  const readable = ['gate.toml', 'gate.lock.json', 'declared.json'].map(
    (name): Place => ({
      path: `${names.configDirectory}/${name}`,
      isDirectory: false,
      mode: 0o644,
      needs: name === 'declared.json' ? 0o444 : 0,
      owner: 'root',
      group: undefined,
      why: 'anyone who may write it decides what runs as root',
    }),
  )
  return [
    ...directories,
    ...files,
    ...readable,
    secret(names.environmentFile, 'root'),
    ...secretFiles(deployment).map((path) => secret(path, 'root', 0o640)),
    { ...secret(names.generatedDirectory, 'root', 0o700) },
    ...generated.map((path) => secret(path, 'root')),
    {
      path: names.adminSocket,
      isDirectory: false,
      mode: 0o660,
      needs: 0o660,
      owner: user,
      group: adminGroup,
      why: 'anyone who can open it may do everything that gatectl can',
    },
  ]
}

const directory = (path: string, mode: number, owner: string, group: string): Place => ({
  path,
  isDirectory: true,
  mode: mode & 0o7777,
  needs: mode & 0o111,
  owner,
  group,
  why: 'it keeps users of this host apart',
})

/** Files that the spec takes secrets from. */
function secretFiles(deployment: Deployment | undefined): string[] {
  return [
    ...new Set(
      (deployment?.secrets ?? []).flatMap(({ source }) =>
        'file' in source ? [source.file] : 'credential' in source ? [`/etc/credstore/${source.credential}`] : [],
      ),
    ),
  ]
}
