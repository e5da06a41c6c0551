import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ProvidedContext } from 'vitest'
import { stage } from '../../scripts/stage.ts'
import { type Images, packImages } from './engine/image.ts'
import { cacheDir, prepareRootfs, type Rootfs } from './rootfs.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Debian's files, or why there is no lab here. */
    rootfs: Rootfs
    /** Gate's files, laid out as an installation; empty when there is no lab. */
    staged: string
    /** Container images of the tests; undefined when there is no lab. */
    images: Images | undefined
  }
}

/** The part of vitest's project that hands values to the tests. */
type Provider = {
  provide<K extends keyof ProvidedContext>(key: K, value: ProvidedContext[K]): void
}

/**
 * Once per run of the lab's tests: Debian in the cache, the test images packed, Gate compiled and laid out.
 * @returns removes the latter
 */
export default async function setUpLab(project: Provider): Promise<(() => void) | undefined> {
  const rootfs = await prepareRootfs()
  project.provide('rootfs', rootfs)
  project.provide('staged', '')
  project.provide('images', undefined)
  if (rootfs.kind === 'unavailable') return undefined
  removeLeftovers()
  const dir = join(cacheDir, `stage-${process.pid}`)
  stage(dir)
  project.provide('staged', dir)
  project.provide('images', packImages(rootfs.dir))
  return () => rmSync(dir, { recursive: true })
}

// What runs that were killed left in the cache: directories that end in the number of a process that is gone.
function removeLeftovers(): void {
  for (const entry of readdirSync(cacheDir)) {
    const pid = /^(?:stage-|trixie-[0-9a-f]+\.)(\d+)$/.exec(entry)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(cacheDir, entry), { recursive: true })
  }
}
