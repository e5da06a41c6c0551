import { sh } from '../../../syntax/shell/print.ts'
import { deployDirectory } from '../../plan/desired.ts'
import type { Check } from '../check.ts'
import { command, edit, type Finding, type Fix, fail, ok, warn } from '../finding.ts'
import { presentUsers, statFileSystem, statPath } from '../look.ts'
import { graphRoot } from './storage.ts'

const MIB = 2 ** 20
const GIB = 2 ** 30

type Purpose = 'state' | 'images' | 'pulls' | 'generations' | 'run'

export type DiskFacts = {
  readonly places: readonly {
    readonly purpose: Purpose
    /** Nearest directory that exists. */
    readonly path: string
    readonly user: string
    readonly freeBytes: number
    readonly totalBytes: number
    readonly freeInodes: number
    /** 0 where there is no such limit (btrfs). */
    readonly totalInodes: number
  }[]
}

/** Below `fail` something breaks at the next write, below `warn` at the next image or in some weeks. */
const NEEDED: Readonly<
  Record<Purpose, { readonly failBytes: number; readonly warnBytes: number; readonly why: string }>
> = {
  state: {
    failBytes: 64 * MIB,
    warnBytes: 512 * MIB,
    why: 'the gateway refuses requests when it cannot write usage rows',
  },
  generations: { failBytes: 16 * MIB, warnBytes: 64 * MIB, why: 'gatectl apply writes a new generation there' },
  images: { failBytes: 512 * MIB, warnBytes: 10 * GIB, why: 'images of engines are up to 20 GiB' },
  run: {
    failBytes: 16 * MIB,
    warnBytes: 32 * MIB,
    why: 'systemd reads no units again with less than 16 MiB, and then programs that start or log in fail',
  },
  pulls: { failBytes: 256 * MIB, warnBytes: 5 * GIB, why: 'podman unpacks images there while it pulls' },
}

/** Below this part of all inodes. */
const FEW_INODES = { fail: 0.01, warn: 0.05 }

export const disk: Check<DiskFacts> = {
  name: 'disk',
  summary:
    'whether there are free space and inodes for the state, the generations, the images of each backend user, /var/tmp and /run',
  async observe({ deployment, names }) {
    const backends = presentUsers(deployment).filter(({ subuid }) => subuid !== undefined)
    const wanted: { purpose: Purpose; path: string; user: string }[] = [
      { purpose: 'state', path: names.stateDirectory, user: names.user },
      { purpose: 'generations', path: deployDirectory(names.prefix), user: 'root' },
      { purpose: 'run', path: '/run', user: 'root' },
      ...backends.map(({ name, home }) => ({ purpose: 'images' as const, path: graphRoot(home), user: name })),
      ...(backends.length > 0 ? [{ purpose: 'pulls' as const, path: '/var/tmp', user: '' }] : []),
    ]
    const places = await Promise.all(wanted.map(async (place) => ({ ...place, ...(await freeSpace(place.path)) })))
    // one line for each file system and purpose, not one for each of a hundred backends
    return { places: [...new Map(places.map((place) => [`${place.purpose} ${place.device}`, place])).values()] }
  },
  judge({ places }) {
    const findings = places.flatMap((place) => [...space(place), ...inodes(place)])
    // before the first apply, several purposes have the same place
    const free = new Set(places.map(({ path, freeBytes }) => `${path}: ${sizeText(freeBytes)} free`))
    return findings.length > 0 ? findings : [ok([...free].join(', '))]
  },
}

type Place = DiskFacts['places'][number]

function space({ purpose, path, user, freeBytes, totalBytes }: Place): Finding[] {
  const { failBytes, warnBytes, why } = NEEDED[purpose]
  // a small disk that is half empty is not full; what systemd asks for in /run does not depend on its size
  const isSmallAndEmpty = purpose !== 'run' && freeBytes > totalBytes / 2 && freeBytes >= failBytes
  if (freeBytes >= warnBytes || isSmallAndEmpty) return []
  const what = `${sizeText(freeBytes)} of ${sizeText(totalBytes)} are free in ${path}`
  return [(freeBytes < failBytes ? fail : warn)(what, why, makeRoom(purpose, path, user))]
}

function inodes({ purpose, path, user, freeInodes, totalInodes }: Place): Finding[] {
  const part = totalInodes === 0 ? 1 : freeInodes / totalInodes
  if (part >= FEW_INODES.warn) return []
  const what = `${freeInodes} of ${totalInodes} inodes are free in ${path}`
  return [
    (part < FEW_INODES.fail ? fail : warn)(what, 'no file can be made without one', makeRoom(purpose, path, user)),
  ]
}

function makeRoom(purpose: Purpose, path: string, user: string): Fix {
  if (purpose === 'images') return command(sh`cd / && runuser -u ${user} -- podman image prune --all --force`)
  if (purpose === 'pulls') return command(sh`find /var/tmp -xdev -name 'container_images_*' -mtime +1 -delete`)
  return edit(
    `the file system of ${path}`,
    `make room; what is large: ${sh`du --one-file-system --human-readable --max-depth=2 ${path} | sort --human-numeric-sort | tail`}`,
  )
}

async function freeSpace(path: string): Promise<Omit<Place, 'purpose' | 'user'> & { device: number }> {
  const [system, file] = await Promise.all([statFileSystem(path), statPath(path)])
  if (system.kind !== 'seen' || file.kind !== 'seen') {
    if (path === '/') throw new Error('/ cannot be looked at')
    return freeSpace(path.slice(0, path.lastIndexOf('/')) || '/')
  }
  const { bavail, bsize, blocks, ffree, files } = system.value
  return {
    path,
    device: file.value.dev,
    freeBytes: bavail * bsize,
    totalBytes: blocks * bsize,
    freeInodes: ffree,
    totalInodes: files,
  }
}

function sizeText(bytes: number): string {
  if (bytes >= GIB) return `${(bytes / GIB).toFixed(1)} GiB`
  return `${Math.floor(bytes / MIB)} MiB`
}
