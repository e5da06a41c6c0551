import { type Generation, generationSchema } from '../../schemas/deploy/generation.ts'
import type { Host, HostView } from '../host.ts'
import { type Desired, deployDirectory } from '../plan/desired.ts'
import { HostError } from '../problem.ts'

/** The generations that a host keeps. */
export type Generations = {
  readonly directory: string
  readonly manifests: ReadonlyMap<number, Generation>
  /** What the links of the units point to. */
  readonly current: number | undefined
  /**
   * The last one that was seen to work. It differs from `current` while an apply runs, and after one that was cut off.
   */
  readonly committed: number | undefined
}

const KEPT_WHOLE = 'manifest.json'

/** @throws HostError BAD_RECORD when the manifest of a generation in use cannot be read */
export function readGenerations(host: HostView, prefix: string): Generations {
  const directory = deployDirectory(prefix)
  const numbers = host.list(`${directory}/generations`).filter((name) => /^[1-9]\d*$/.test(name))
  const manifests = new Map(numbers.map((name) => [Number(name), readManifest(host, directory, name)]))
  const linked = (name: string) => {
    const number = /^generations\/([1-9]\d*)$/.exec(host.status(`${directory}/${name}`)?.target ?? '')?.[1]
    return number === undefined || !manifests.has(Number(number)) ? undefined : Number(number)
  }
  return { directory, manifests, current: linked('current'), committed: linked('committed') }
}

/** A generation as it was written. @throws HostError NO_GENERATION, BAD_RECORD */
export function readGeneration(host: HostView, generations: Generations, number: number): Desired {
  const generation = generations.manifests.get(number)
  if (generation === undefined) {
    const kept = [...generations.manifests.keys()].sort((a, b) => a - b)
    const hint = kept.length === 0 ? 'nothing has been applied yet' : `there are: ${kept.join(', ')}`
    throw new HostError({ code: 'NO_GENERATION', message: `there is no generation ${number}`, hint })
  }
  const texts = generation.files.map(({ path }) => {
    const file = `${generations.directory}/generations/${number}/${path}`
    const text = host.read(file)
    if (text === undefined)
      throw new HostError({ code: 'BAD_RECORD', message: `${file} is gone`, hint: 'apply the spec again' })
    return [path, text] as const
  })
  return { generation, texts: new Map(texts), models: [], mounts: [] }
}

/** Writes a new generation beside the others; nothing uses it yet. @returns its number */
export function writeGeneration(host: Host, generations: Generations, { generation, texts }: Desired): number {
  const { directory, manifests, current } = generations
  const number = Math.max(0, ...manifests.keys()) + 1
  const staged = `${directory}/generations/${number}.new`
  host.removeTree(staged) // of a run that was cut off
  try {
    makeParents(host, `${staged}/x`)
    for (const { path, mode } of generation.files) {
      const text = texts.get(path) ?? ''
      makeParents(host, `${staged}/${path}`)
      const modifiedMs =
        current === undefined ? undefined : unchangedSince(host, `${directory}/generations/${current}/${path}`, text)
      host.write(`${staged}/${path}`, text, mode, modifiedMs === undefined ? {} : { modifiedMs })
    }
    host.write(`${staged}/${KEPT_WHOLE}`, `${JSON.stringify(generation, null, 2)}\n`, 0o644)
    host.rename(staged, `${directory}/generations/${number}`)
  } catch (error) {
    host.removeTree(staged)
    throw error
  }
  return number
}

/** systemd compares times to tell whether a unit changed on disk: an unchanged file keeps its own. */
function unchangedSince(host: Host, path: string, text: string): number | undefined {
  return host.read(path) === text ? host.status(path)?.modifiedMs : undefined
}

/** Makes a generation the one that units are read from, or none. */
export function switchTo(host: Host, { directory }: Generations, number: number | undefined): void {
  if (number === undefined) host.remove(`${directory}/current`)
  else host.link(`${directory}/current`, `generations/${number}`)
}

/** Remembers that a generation works. */
export function commit(host: Host, { directory }: Generations, number: number): void {
  host.link(`${directory}/committed`, `generations/${number}`)
}

/** The generations that need not be kept: all but the newest, and those in use. */
export function dispensable(
  { manifests }: Generations,
  keep: number,
  inUse: readonly (number | undefined)[],
): number[] {
  const newest = [...manifests.keys()].sort((a, b) => b - a).slice(0, Math.max(1, keep))
  return [...manifests.keys()].filter((number) => !newest.includes(number) && !inUse.includes(number))
}

/**
 * Removes a directory so that a run that is cut off leaves it whole, or nothing under its name: half a generation has
 * no manifest.
 */
export function removeWhole(host: Host, path: string): void {
  const aside = `${path}.old`
  host.removeTree(aside) // of a run that was cut off
  if (host.status(path) === undefined) return
  host.rename(path, aside)
  host.removeTree(aside)
}

export function makeParents(host: Host, path: string, mode = 0o755): void {
  const missing: string[] = []
  for (let parent = parentOf(path); parent !== '' && host.status(parent) === undefined; parent = parentOf(parent))
    missing.unshift(parent)
  for (const directory of missing) host.makeDirectory(directory, mode)
}

export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

function readManifest(host: HostView, directory: string, name: string): Generation {
  const file = `${directory}/generations/${name}/${KEPT_WHOLE}`
  const bad = (): HostError =>
    new HostError({
      code: 'BAD_RECORD',
      message: `${file} is not what gatectl wrote`,
      hint: `restore it from a backup, or remove ${directory}/generations/${name} if nothing uses it`,
    })
  try {
    const read = generationSchema.safeParse(JSON.parse(host.read(file) ?? ''))
    if (read.success) return read.data
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw bad()
}
