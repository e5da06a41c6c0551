import type { Generation, GenerationUnit } from '../../schemas/deploy/generation.ts'
import { type AccountChange, accountChanges } from '../accounts.ts'
import type { WantedImage } from '../apply/images.ts'
import { unitKey } from '../running.ts'
import { type Desired, isSameGeneration } from './desired.ts'
import { type FileChange, fileChanges, type LinkChange, linkChanges } from './files.ts'
import type { Observed } from './observe.ts'
import type { OwnershipChange } from './ownership.ts'
import { isHarmful, type Planted } from './planted.ts'
import { basesOf, goneUnits, staleManagers, type UnitChange, underManagers, unitChange } from './units.ts'

/** Everything that makes a host what it is to be, in the order of its parts. */
export type Plan = {
  readonly desired: Desired
  readonly groups: readonly string[]
  readonly accounts: readonly AccountChange[]
  /** Users whose manager is no longer needed. */
  readonly retired: readonly string[]
  /** What accounts of backends have put where it does not belong: it goes, and what runs there starts anew. */
  readonly planted: readonly Planted[]
  readonly directories: readonly string[]
  readonly ownership: readonly OwnershipChange[]
  readonly secrets: readonly string[]
  readonly images: readonly WantedImage[]
  readonly files: readonly FileChange[]
  readonly links: readonly LinkChange[]
  readonly units: readonly UnitChange[]
  readonly enable: readonly string[]
  readonly disable: readonly string[]
  /** Users whose manager has to read its units again. */
  readonly reloads: readonly string[]
  /** Networks that no container uses any more. */
  readonly networks: Generation['networks']
  /** The generation that already says this; undefined: a new one is written. */
  readonly number: number | undefined
  /** Whether the current generation is another one, or not yet seen to work. */
  readonly isUnsettled: boolean
}

/**
 * Compares what a host is to be with what it is. Changes nothing.
 * @param asked the generation that `desired` was read from; absent for a spec
 */
export function makePlan(desired: Desired, seen: Observed, asked?: number): Plan {
  const observed = withoutPlanted(seen)
  const { generation } = desired
  const { generations, accounts, made } = observed
  const bases = basesOf(observed)
  const files = fileChanges(desired, observed)
  const links = linkChanges(generation, observed)
  const same = [generations.current, generations.committed].find((known) => {
    const manifest = known === undefined ? undefined : generations.manifests.get(known)
    return manifest !== undefined && isSameGeneration(manifest, generation)
  })
  const isChanged = same === generations.current && changedInPlace(files, links).length > 0
  const number = asked ?? (isChanged ? undefined : same)
  const wanted = new Set(generation.accounts.filter(({ linger }) => linger).map(({ name }) => name))
  const wantedUnits = new Set(generation.units.map(unitKey))
  const gone = goneUnits(observed, wantedUnits)
  const enable = generation.units.filter(({ enable: isWanted, name }) => isWanted && !observed.enabled.has(name))
  return {
    desired,
    groups: generation.groups.filter((name) => !accounts.groups.has(name)),
    accounts: accountChanges(
      generation.accounts,
      accounts,
      bases.flatMap((base) => base.accounts),
      [`${generation.prefix}-admin`],
    ),
    retired: made.linger.filter((name) => !wanted.has(name) && accounts.linger.has(name)),
    planted: observed.planted,
    directories: observed.missingDirectories,
    ownership: observed.ownership,
    secrets: observed.missingSecrets,
    images: observed.missingImages,
    files,
    links,
    units: [
      ...goneChanges(gone, observed, files),
      ...underManagers(
        generation.units.flatMap((unit) => unitChange(unit, desired, observed, bases)),
        generation,
      ),
    ],
    enable: enable.map(({ name }) => name),
    disable: gone.filter(({ enable: was, name }) => was && observed.enabled.has(name)).map(({ name }) => name),
    reloads: staleManagers(generation, observed, bases),
    networks: bases
      .flatMap((base) => base.networks)
      .filter(({ user, name }) => !generation.networks.some((other) => other.user === user && other.name === name)),
    number,
    isUnsettled: number === undefined || number !== generations.current || number !== generations.committed,
  }
}

/** Nothing that runs in an account counts once it has planted something: all of it ends. */
function withoutPlanted(observed: Observed): Observed {
  const { accounts, running, planted } = observed
  const ended = planted.filter(isHarmful).map(({ user }) => user)
  if (ended.length === 0) return observed
  const managers = new Set(ended.map((user) => `system/user@${accounts.users.get(user)?.uid}.service`))
  const isLeft = (key: string) => !managers.has(key) && !ended.some((user) => key.startsWith(`${user}/`))
  return { ...observed, running: new Set([...running].filter(isLeft)) }
}

/** What was changed in the current generation itself: only another generation restores it. */
function changedInPlace(files: readonly FileChange[], links: readonly LinkChange[]): FileChange[] {
  const isSeen = (place: string) => !links.some(({ path }) => place.startsWith(`${path}/`))
  return files.filter(({ kind, isLinked, place }) => kind !== 'remove' && isLinked && isSeen(place))
}

/** Programs of the host read again what is left; a manager that goes takes its units along. */
function goneChanges(gone: readonly GenerationUnit[], observed: Observed, files: readonly FileChange[]): UnitChange[] {
  const names = new Set(gone.map(({ name }) => name))
  const isTaken = ({ manager }: GenerationUnit) =>
    names.has(`user@${observed.accounts.users.get(manager)?.uid}.service`)
  const running = gone.filter((unit) => observed.running.has(unitKey(unit)))
  const isRead = ({ name }: GenerationUnit) => {
    const folders = [`/etc/${name.replace('.service', '')}/`, `/etc/systemd/system/${name}.d/`]
    return files.some(({ kind, place }) => kind === 'remove' && folders.some((folder) => place.startsWith(folder)))
  }
  return running.flatMap((unit): UnitChange[] => {
    if (unit.runs === 'foreign') return isRead(unit) ? [{ action: 'reload', unit, why: 'its file goes' }] : []
    return isTaken(unit) ? [] : [{ action: 'stop', unit, why: 'no longer in the spec' }]
  })
}

const PARTS = [
  'groups',
  'accounts',
  'retired',
  'planted',
  'directories',
  'ownership',
  'secrets',
  'images',
  'files',
  'links',
  'units',
  'enable',
  'disable',
] as const satisfies readonly (keyof Plan)[]

/** Whether there is nothing to do. */
export function isEmptyPlan(plan: Plan): boolean {
  return PARTS.every((part) => plan[part].length === 0) && !plan.isUnsettled
}
