import type { Generation, GenerationUnit } from '../../schemas/deploy/generation.ts'
import { unitKey } from '../running.ts'
import { type Desired, sha256 } from './desired.ts'
import type { Observed } from './observe.ts'

export type UnitChange = {
  readonly action: 'start' | 'restart' | 'reload' | 'stop'
  readonly unit: GenerationUnit
  readonly why: string
}

/** What units may have been started from: both are asked while an apply is not finished. */
export function basesOf({ generations: { manifests, current, committed } }: Observed): Generation[] {
  const numbers = new Set([committed, current].filter((number) => number !== undefined))
  return [...numbers].flatMap((number) => manifests.get(number) ?? [])
}

/** Units of kept generations that are wanted no more. */
export function goneUnits({ generations }: Observed, wanted: ReadonlySet<string>): GenerationUnit[] {
  const known = new Map<string, GenerationUnit>()
  for (const { units } of generations.manifests.values()) for (const unit of units) known.set(unitKey(unit), unit)
  return [...known].filter(([key]) => !wanted.has(key)).map(([, unit]) => unit)
}

/** What one unit needs, if anything. */
export function unitChange(
  unit: GenerationUnit,
  { generation }: Desired,
  observed: Observed,
  bases: readonly Generation[],
): UnitChange[] {
  const isRunning = observed.running.has(unitKey(unit))
  const restartWhy = whyStale(unit.files, unit, generation, observed, bases)
  const reloadWhy = whyStale(unit.reloads, unit, generation, observed, bases)
  if (unit.runs === 'foreign') return reloadWhy === undefined ? [] : [{ action: 'reload', unit, why: reloadWhy }]
  if (!isRunning) return unit.runs === 'always' ? [{ action: 'start', unit, why: 'it is not running' }] : []
  if (restartWhy !== undefined) return [{ action: 'restart', unit, why: restartWhy }]
  return reloadWhy === undefined ? [] : [{ action: 'reload', unit, why: reloadWhy }]
}

/** Why what runs may have been started from other texts than these. */
function whyStale(
  paths: readonly string[],
  unit: GenerationUnit,
  { files }: Generation,
  observed: Observed,
  bases: readonly Generation[],
): string | undefined {
  if (paths.length === 0) return undefined
  if (bases.length === 0) return 'no apply has seen it work'
  for (const { path, install, sha256: hash } of files) {
    if (!paths.includes(path)) continue
    const name = path.slice(path.lastIndexOf('/') + 1)
    const seen = install === undefined ? undefined : observed.files.get(install)
    if (install !== undefined && (seen?.kind !== 'file' || sha256(seen.text) !== hash)) return `${name} changed`
    if (bases.some((base) => base.files.find((file) => file.path === path)?.sha256 !== hash)) return `${name} changed`
  }
  const isPartGone = bases.some((base) => {
    const was = base.units.find((other) => unitKey(other) === unitKey(unit))
    return was?.files.some((path) => !unit.files.includes(path)) === true
  })
  return isPartGone ? 'part of it is gone' : undefined
}

/** The unit of the host that is the manager of a user. */
function managerUnit({ accounts }: Generation, user: string): string | undefined {
  const uid = accounts.find(({ name }) => name === user)?.uid
  return uid === undefined ? undefined : `user@${uid}.service`
}

/** What a manager that restarts stops and starts on its own is only waited for. */
export function underManagers(changes: readonly UnitChange[], generation: Generation): UnitChange[] {
  const restarted = new Set(changes.filter(({ action }) => action === 'restart').map(({ unit }) => unit.name))
  const isUnder = ({ manager }: GenerationUnit) => restarted.has(managerUnit(generation, manager) ?? '')
  const others = changes.filter(({ unit }) => !isUnder(unit))
  const waited = generation.units
    .filter((unit) => isUnder(unit) && unit.runs === 'always')
    .map((unit): UnitChange => ({ action: 'start', unit, why: 'its user manager restarts' }))
  const order = new Map(generation.units.map((unit, i) => [unitKey(unit), i]))
  return [...others, ...waited].sort((a, b) => (order.get(unitKey(a.unit)) ?? 0) - (order.get(unitKey(b.unit)) ?? 0))
}

/** What users run stops first: a unit of the host, such as that of a backend's directory, may take their manager with it. */
export function inStopOrder(stops: readonly UnitChange[]): UnitChange[] {
  const isOfHost = ({ unit }: UnitChange) => Number(unit.manager === 'system')
  return stops.toSorted((a, b) => isOfHost(a) - isOfHost(b))
}

/** Users whose manager may still have read other units than these. */
export function staleManagers(generation: Generation, observed: Observed, bases: readonly Generation[]): string[] {
  const own = ({ files }: Generation, uid: number | undefined) =>
    files
      .filter(({ path }) => path.startsWith(`quadlet/users/${uid}/`) || path.startsWith(`quadlet/user-units/${uid}/`))
      .map(({ path, sha256: hash }) => `${path} ${hash}`)
      .sort()
      .join('\n')
  const isOnHost = (uid: number | undefined): boolean =>
    generation.files.every(({ path, install, sha256: hash }) => {
      if (install === undefined || !path.match(`^quadlet/user(?:s|-units)/${uid}/`)) return true
      const seen = observed.files.get(install)
      return seen?.kind === 'file' && sha256(seen.text) === hash
    })
  return generation.accounts
    .filter(
      ({ uid }) =>
        bases.length === 0 || bases.some((base) => own(base, uid) !== own(generation, uid)) || !isOnHost(uid),
    )
    .filter(({ linger }) => linger)
    .map(({ name }) => name)
}
