import type { Generation } from '../../schemas/deploy/generation.ts'
import { type Desired, sha256 } from './desired.ts'
import type { Observed } from './observe.ts'

export type FileChange = {
  readonly kind: 'create' | 'change' | 'remove'
  /** Place on the host. */
  readonly place: string
  /** Below the generation; the place of what is removed. */
  readonly path: string
  readonly before: string | undefined
  readonly after: string | undefined
  readonly mode: number
  /** Reached through a link to the current generation: nothing is to be written for it. */
  readonly isLinked: boolean
  readonly why: string
}

export type LinkChange = { readonly kind: 'create' | 'remove'; readonly path: string; readonly target: string }

/** What differs between the files of a host and those of a generation. */
export function fileChanges({ generation, texts }: Desired, observed: Observed): FileChange[] {
  const isLinked = linkedPlaces(generation)
  const own = hashesOf(observed)
  const changes = generation.files.flatMap(({ path, install: place, mode }): FileChange[] => {
    if (place === undefined) return []
    const after = texts.get(path) ?? ''
    const seen = observed.files.get(place)
    const before = seen?.kind === 'file' ? seen.text : undefined
    const common = { place, path, before, after, mode, isLinked: isLinked(place) }
    if (before === undefined) return [{ ...common, kind: 'create', why: 'not there' }]
    if (before !== after) {
      const why = observed.conffiles.has(place) ? "it is the package's own" : whyChanged(own.get(place), before)
      return [{ ...common, kind: 'change', why }]
    }
    if (seen?.kind === 'file' && seen.mode !== mode) return [{ ...common, kind: 'change', why: 'its mode differs' }]
    return []
  })
  const wanted = new Set(generation.files.flatMap(({ install }) => install ?? []))
  const wasLinked = [...observed.generations.manifests.values()].map(linkedPlaces)
  const removals = [...observed.files].flatMap(([place, seen]): FileChange[] => {
    // what was changed since belongs to the administrator
    if (wanted.has(place) || seen.kind !== 'file' || !own.get(place)?.has(sha256(seen.text))) return []
    const linked = wasLinked.some((linkedIn) => linkedIn(place))
    const { text: before, mode } = seen
    const original = observed.made.originals[place]
    if (original !== undefined) {
      const common = { place, path: place, before, mode, isLinked: false }
      return [{ ...common, kind: 'change', after: original, why: "no longer in the spec: the package's own again" }]
    }
    return [
      {
        kind: 'remove',
        place,
        path: place,
        before,
        after: undefined,
        mode,
        isLinked: linked,
        why: 'no longer in the spec',
      },
    ]
  })
  return [...changes, ...removals].sort((a, b) => (a.place < b.place ? -1 : 1))
}

function whyChanged(ours: ReadonlySet<string> | undefined, before: string): string {
  return ours?.has(sha256(before)) === true ? 'the spec changed' : 'it was changed on this host'
}

/** Place on the host -> the hashes that any kept generation gave it. */
export function hashesOf({ generations }: Observed): Map<string, Set<string>> {
  const known = new Map<string, Set<string>>()
  for (const { files } of generations.manifests.values())
    for (const { install, sha256: hash } of files)
      if (install !== undefined) known.set(install, (known.get(install) ?? new Set()).add(hash))
  return known
}

export function linkedPlaces({ links }: Generation): (place: string) => boolean {
  const directories = new Set(links.map(({ path }) => path))
  return (place) => {
    for (let end = place.lastIndexOf('/'); end > 0; end = place.lastIndexOf('/', end - 1))
      if (directories.has(place.slice(0, end))) return true
    return false
  }
}

export function linkChanges(generation: Generation, { links, generations }: Observed): LinkChange[] {
  const wanted = new Set(generation.links.map(({ path }) => path))
  const ours = new Map(
    [...generations.manifests.values()].flatMap((one) => one.links.map(({ path, target }) => [path, target] as const)),
  )
  return [
    ...generation.links
      .filter(({ path, target }) => links.get(path) !== target)
      .map(({ path, target }): LinkChange => ({ kind: 'create', path, target })),
    ...[...ours]
      .filter(([path, target]) => !wanted.has(path) && links.get(path) === target)
      .map(([path, target]): LinkChange => ({ kind: 'remove', path, target })),
  ]
}
