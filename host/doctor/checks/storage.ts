import { sh } from '../../../syntax/shell/print.ts'
import type { Check } from '../check.ts'
import { command, fail, ok } from '../finding.ts'
import { presentUsers, statFileSystem, statPath, textOf } from '../look.ts'

/** Magic numbers of statfs(2) on which overlay storage cannot lie. */
const NO_OVERLAY = new Map([
  [0x794c7630, 'overlay'],
  [0x6969, 'NFS'],
  [0x65735546, 'FUSE'],
])

export type StorageFacts = {
  readonly stores: readonly {
    readonly user: string
    readonly path: string
    /** f_type of the nearest directory that exists. */
    readonly type: number
  }[]
  /** Driver of /etc/containers/storage.conf; "" when it names none. */
  readonly driver: string
  readonly hasFuseOverlayfs: boolean
}

export const storage: Check<StorageFacts> = {
  name: 'storage',
  summary: "whether the backends' image storage can lie on its file system (no overlay on overlay, no NFS)",
  isForApplied: true,
  async observe({ deployment }) {
    const config = await textOf('/etc/containers/storage.conf')
    const stores = presentUsers(deployment)
      .filter(({ subuid }) => subuid !== undefined)
      .map(async ({ name, home }) => {
        const path = graphRoot(home)
        return { user: name, path, type: await fileSystemType(path) }
      })
    return {
      stores: await Promise.all(stores),
      driver: /^\s*driver\s*=\s*"(\w*)"/m.exec(config)?.[1] ?? '',
      hasFuseOverlayfs: (await statPath('/usr/bin/fuse-overlayfs')).kind === 'seen',
    }
  },
  judge({ stores, driver, hasFuseOverlayfs }) {
    const bad = driver === 'vfs' || hasFuseOverlayfs ? [] : stores.filter(({ type }) => NO_OVERLAY.has(type))
    if (bad.length === 0) return [ok(stores.length === 0 ? 'no backend stores images' : 'images can be stored')]
    return bad.map(({ user, path, type }) =>
      fail(
        `${user} cannot store images in ${path}`,
        `it is on ${NO_OVERLAY.get(type) ?? ''}, which does not support podman's overlay`,
        command(sh`apt-get install fuse-overlayfs`),
      ),
    )
  },
}

/** Where podman keeps the images of a user whose home this is; containers-storage.conf(5) "rootless_storage_path". */
export const graphRoot = (home: string): string => `${home}/.local/share/containers/storage`

async function fileSystemType(path: string): Promise<number> {
  const seen = await statFileSystem(path)
  if (seen.kind === 'seen') return seen.value.type
  return path === '/' ? 0 : fileSystemType(path.slice(0, path.lastIndexOf('/')) || '/')
}
