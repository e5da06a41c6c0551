import type { Generation, GenerationUnit, Made } from '../../schemas/deploy/generation.ts'
import { madeSchema } from '../../schemas/deploy/generation.ts'
import { type Account, type Accounts, readAccounts } from '../accounts.ts'
import { missingImages, type WantedImage } from '../apply/images.ts'
import { type Generations, readGenerations } from '../generations/generations.ts'
import type { HostView } from '../host.ts'
import { HostError } from '../problem.ts'
import { observeUnits, unitKey } from '../running.ts'
import { usersElsewhere } from '../users-elsewhere.ts'
import { untouchedConffiles } from './conffiles.ts'
import { type Desired, deployDirectory } from './desired.ts'
import { type OwnershipChange, ownershipChanges } from './ownership.ts'
import { findPlanted, type Planted } from './planted.ts'
import { isToBeMade } from './stray-link.ts'

export type SeenFile =
  | { readonly kind: 'file'; readonly text: string; readonly mode: number }
  | { readonly kind: 'other' }

/** Everything about a host that a plan depends on. */
export type Observed = {
  readonly accounts: Accounts
  /** Users with a name or an id of ours that a directory service has. */
  readonly elsewhere: readonly Account[]
  readonly generations: Generations
  readonly made: Made
  /** By place on the host; absent: nothing is there. */
  readonly files: ReadonlyMap<string, SeenFile>
  /** Of these, what came with a package and is unchanged. */
  readonly conffiles: ReadonlySet<string>
  /** Target of each link that is there; undefined for what is not a link. */
  readonly links: ReadonlyMap<string, string | undefined>
  readonly missingDirectories: readonly string[]
  readonly ownership: readonly OwnershipChange[]
  readonly missingImages: readonly WantedImage[]
  readonly missingSecrets: readonly string[]
  /** Keys (`unitKey`) of the units that run. */
  readonly running: ReadonlySet<string>
  /** System units that start at boot. */
  readonly enabled: ReadonlySet<string>
  /** What accounts of backends have put where it does not belong. */
  readonly planted: readonly Planted[]
  /** Users whose manager runs. */
  readonly managers: ReadonlySet<string>
}

/** Before the first apply. */
export const NOTHING_MADE: Made = {
  version: 1,
  accounts: [],
  groups: [],
  memberships: [],
  linger: [],
  directories: [],
  enabled: [],
  running: [],
  started: [],
  originals: {},
}

/**
 * Looks at everything that a plan for `desired` depends on. The number of processes does not grow with the backends.
 */
export async function observe(host: HostView, desired: Desired): Promise<Observed> {
  const { generation } = desired
  const generations = readGenerations(host, generation.prefix)
  const accounts = readAccounts(host)
  const known = [generation, ...generations.manifests.values()]
  const units = new Map(
    known.flatMap((one) => one.units.map((unit): [string, GenerationUnit] => [unitKey(unit), unit])),
  )
  const [elsewhere, missing, { running, enabled }] = await Promise.all([
    usersElsewhere(host, generation, accounts),
    missingImages(host, generation.images, accounts),
    observeUnits(host, [...units.values()], accounts, (unit) => socketTexts(host, desired, generations, unit)),
  ])
  const links = [...new Set(known.flatMap((one) => one.links.map(({ path }) => path)))].flatMap((path) => {
    const status = host.status(path)
    return status === undefined ? [] : [[path, status.target] as const]
  })
  const files = readFiles(host, known)
  const secrets = `${deployDirectory(generation.prefix)}/secrets`
  return {
    accounts,
    elsewhere,
    generations,
    made: readMade(host, generation.prefix),
    files,
    conffiles: untouchedConffiles(host, files),
    links: new Map(links),
    missingDirectories: generation.directories.filter((path) => isToBeMade(host, path)),
    ownership: ownershipChanges(host, desired, accounts),
    missingImages: missing,
    missingSecrets: generation.secrets.filter((name) => host.status(`${secrets}/${name}`) === undefined),
    running,
    enabled,
    planted: await findPlanted(host, generation, accounts),
    managers: new Set([...accounts.users.values()].filter(({ uid }) => hasManager(host, uid)).map(({ name }) => name)),
  }
}

/** What apply noted as its own. @throws HostError BAD_RECORD */
function readMade(host: HostView, prefix: string): Made {
  const file = `${deployDirectory(prefix)}/made.json`
  const text = host.read(file)
  if (text === undefined) return NOTHING_MADE
  try {
    const read = madeSchema.safeParse(JSON.parse(text))
    if (read.success) return read.data
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  const hint = 'restore it from a backup: without it gatectl cannot know what uninstall may remove'
  throw new HostError({ code: 'BAD_RECORD', message: `${file} is not what gatectl wrote`, hint })
}

function readFiles(host: HostView, generations: readonly Generation[]): Map<string, SeenFile> {
  const places = new Set(generations.flatMap(({ files }) => files.flatMap(({ install }) => install ?? [])))
  const files = new Map<string, SeenFile>()
  for (const place of places) {
    const status = host.status(place)
    if (status === undefined) continue
    if (status.kind === 'file') files.set(place, { kind: 'file', text: host.read(place) ?? '', mode: status.mode })
    else files.set(place, { kind: 'other' })
  }
  return files
}

/** The texts that a socket unit may have been started from. */
function socketTexts(host: HostView, desired: Desired, generations: Generations, { files }: GenerationUnit): string[] {
  const { directory, current } = generations
  return files.flatMap((path) => [
    desired.texts.get(path) ?? '',
    current === undefined ? '' : (host.read(`${directory}/generations/${current}/${path}`) ?? ''),
  ])
}

function hasManager(host: HostView, uid: number): boolean {
  return host.status(`/run/user/${uid}/systemd/private`) !== undefined
}
