import type { Deployment } from '../../../compiler/ir/deployment.ts'
import type { Check, Subject } from '../check.ts'
import { command, type Finding, fail, ok, ROOT_SEES_MORE, skip, words } from '../finding.ts'
import { namesIn, readHostAccounts, statPath } from '../look.ts'

export type PermissionFacts = {
  readonly places: readonly (Place & {
    readonly found:
      | { readonly kind: 'absent' | 'denied' }
      | { readonly kind: 'seen'; readonly mode: number; readonly owner: string; readonly group: string }
  })[]
}
type Place = {
  readonly path: string
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
    'whether configuration, state, secrets and socket directories have the right owners and no excess permissions (secrets 600)',
  async observe(subject) {
    const accounts = readHostAccounts()
    const users = new Map([...accounts.users.values()].map(({ uid, name }) => [uid, name]))
    const groupNames = new Map([...accounts.groups.values()].map(({ name, gid }) => [gid, name]))
    const places = (await wantedPlaces(subject)).map(async (place) => {
      const seen = await statPath(place.path)
      if (seen.kind !== 'seen') return { ...place, found: { kind: seen.kind } }
      const { mode, uid, gid } = seen.value
      return {
        ...place,
        found: {
          kind: 'seen' as const,
          mode: mode & 0o7777,
          owner: users.get(uid) ?? String(uid),
          group: groupNames.get(gid) ?? String(gid),
        },
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

function judgeOne({ path, mode, needs, owner, group, why, found }: PermissionFacts['places'][number]): Finding[] {
  if (found.kind !== 'seen') return [] // what is absent is another check's matter
  const findings: Finding[] = []
  const wantsGroup = group !== undefined && found.group !== group
  if (found.owner !== owner || wantsGroup) {
    const wanted = group === undefined ? owner : `${owner}:${group}`
    findings.push(
      fail(
        `${path} belongs to ${found.owner}:${found.group} instead of ${wanted}`,
        why,
        command(words('chown', wanted, path)),
      ),
    )
  }
  const isOpen = (found.mode & ~mode & 0o777) !== 0
  const isClosed = (found.mode & needs) !== needs
  if (!isOpen && !isClosed) return findings
  const kind = isOpen
    ? (found.mode & ~mode & 0o007) !== 0
      ? 'is open to every user'
      : 'is open to its group'
    : 'is closed to those who need it'
  findings.push(
    fail(
      `${path} ${kind} (mode ${found.mode.toString(8)})`,
      isOpen ? why : 'the daemon or a backend cannot go through it',
      command(words('chmod', mode.toString(8).padStart(4, '0'), path)),
    ),
  )
  return findings
}

async function wantedPlaces({ deployment, names }: Subject): Promise<Place[]> {
  const { user, adminGroup } = names
  const state = names.stateDirectory
  const secret = (path: string, owner: string, mode = 0o600): Place => ({
    path,
    mode,
    needs: 0,
    owner,
    group: undefined,
    why: 'it contains secrets, or prompts and answers',
  })
  const generated = (await namesIn(names.generatedDirectory)).map((name) => `${names.generatedDirectory}/${name}`)
  const directories =
    deployment === undefined
      ? [
          { ...directory(state, 0o711, user, user), needs: 0o700 }, // nothing goes through it yet
          directory(names.configDirectory, 0o755, 'root', 'root'),
          directory(names.runtimeDirectory, 0o755, 'root', 'root'),
        ]
      : deployment.directories.map(({ path, mode, user: owner, group }) => directory(path, mode, owner, group))
  const known = ['config.toml', 'gate.lock', 'gate.db', 'gate.db-wal', 'gate.db-shm']
  const journals = (await namesIn(state)).filter((name) => name.startsWith('gate.db-usage-'))
  const files = [...known, ...journals].map((name) => secret(`${state}/${name}`, user))
  const readable = ['gate.toml', 'gate.lock.json', 'declared.json'].map(
    (name): Place => ({
      path: `${names.configDirectory}/${name}`,
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
