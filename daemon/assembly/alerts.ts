import { statfs } from 'node:fs/promises'
import { watch } from '../alerts/watch.ts'
import type { DataPlane } from './data-plane.ts'
import type { Ground } from './ground.ts'

/** Looks at what says nothing by itself. */
export function startWatch({ alert, stateDirectory, log }: Ground, { backends, upstreamStatus }: DataPlane) {
  return watch({
    alert,
    log,
    backends: backends.list,
    upstreams: upstreamStatus,
    disk: async () => {
      const { bavail, blocks, bsize } = await statfs(stateDirectory)
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize }
    },
  })
}
