import { statfs } from 'node:fs/promises'
import { cpus, freemem, totalmem } from 'node:os'

type Times = { readonly busyMs: number; readonly allMs: number }

/** How busy the host is. */
export type Load = {
  /** Share of all processors that was busy since the look before, 0 to 1. */
  readonly cpu: number
  readonly processors: number
  readonly memory: { readonly total_bytes: number; readonly available_bytes: number; readonly daemon_bytes: number }
  readonly disks: { readonly path: string; readonly total_bytes: number; readonly free_bytes: number }[]
}

/**
 * Looks at the host. @param paths on the file systems to look at; those that are not there are left out
 * @returns a look, whose first answer for the processors counts from the start of the host
 */
export function hostLoad(paths: readonly string[]): () => Promise<Load> {
  let before: Times = { busyMs: 0, allMs: 0 }
  return async () => {
    const all = cpus()
    const now = sumOf(all.map(({ times }) => times))
    const passedMs = now.allMs - before.allMs
    const cpu = passedMs <= 0 ? 0 : (now.busyMs - before.busyMs) / passedMs
    before = now
    const disks = await Promise.all(paths.map(diskAt))
    return {
      cpu: Math.round(Math.min(1, Math.max(0, cpu)) * 1_000) / 1_000,
      processors: all.length,
      memory: {
        total_bytes: totalmem(),
        available_bytes: freemem(),
        daemon_bytes: process.memoryUsage.rss(),
      },
      disks: disks.flat(),
    }
  }
}

function sumOf(all: readonly NodeJS.Dict<number>[]): Times {
  let busyMs = 0
  let allMs = 0
  for (const times of all) {
    for (const [name, ms = 0] of Object.entries(times)) {
      allMs += ms
      if (name !== 'idle') busyMs += ms
    }
  }
  return { busyMs, allMs }
}

async function diskAt(path: string): Promise<Load['disks']> {
  try {
    const { blocks, bavail, bsize } = await statfs(path)
    return [{ path, total_bytes: blocks * bsize, free_bytes: bavail * bsize }]
  } catch {
    return [] // not there, or not to be seen by this account
  }
}
