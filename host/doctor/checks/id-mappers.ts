import { sh } from '../../../syntax/shell/print.ts'
import type { Check } from '../check.ts'
import { command, fail, ok } from '../finding.ts'
import { outputOf, statPath, textOf } from '../look.ts'

const MAPPERS = ['/usr/bin/newuidmap', '/usr/bin/newgidmap'] as const

export type MapperFacts = {
  readonly mappers: readonly {
    readonly path: string
    /** Permission bits with setuid; undefined: absent. */
    readonly mode: number | undefined
    readonly uid: number
    /** Of getcap(8), such as "cap_setuid=ep". */
    readonly capabilities: string
  }[]
  /** Whether its file system is mounted nosuid, which takes both away. */
  readonly nosuid: boolean
}

/** They write the id maps of rootless containers, which takes a privilege that podman does not have. */
export const idMappers: Check<MapperFacts> = {
  name: 'newuidmap',
  summary: 'whether newuidmap and newgidmap are there and have the privilege to map ids',
  isForContainers: true,
  async observe(_, signal) {
    const mappers = MAPPERS.map(async (path) => {
      const seen = await statPath(path)
      const capabilities = (await outputOf(['getcap', path], signal)).replace(path, '').trim()
      return seen.kind === 'seen'
        ? { path, mode: seen.value.mode & 0o7777, uid: seen.value.uid, capabilities }
        : { path, mode: undefined, uid: -1, capabilities }
    })
    return { mappers: await Promise.all(mappers), nosuid: isNosuid(await textOf('/proc/self/mountinfo'), MAPPERS[0]) }
  },
  judge({ mappers, nosuid }) {
    const absent = mappers.filter(({ mode }) => mode === undefined)
    if (absent.length > 0)
      return [
        fail(
          `no ${absent.map(({ path }) => path).join(', ')}`,
          'rootless podman cannot map ids',
          command(sh`apt-get install uidmap`),
        ),
      ]
    if (nosuid)
      return [
        fail(
          'newuidmap is on a file system mounted nosuid',
          'it has no privileges there',
          command(sh`mount -o remount,suid /usr || mount -o remount,suid /`),
        ),
      ]
    const powerless = mappers.filter(({ path, mode, uid, capabilities }) => {
      const needed = path.endsWith('newuidmap') ? 'cap_setuid' : 'cap_setgid'
      return !(uid === 0 && ((mode ?? 0) & 0o4000) !== 0) && !capabilities.includes(needed)
    })
    if (powerless.length === 0) return [ok('newuidmap and newgidmap may map ids')]
    const paths = powerless.map(({ path }) => path)
    const why =
      'neither setuid root nor cap_setuid: podman fails with "newuidmap: write to uid_map failed: Operation not permitted"'
    return [
      fail(
        `${paths.join(' ')} ${powerless.length > 1 ? 'have' : 'has'} no privilege`,
        why,
        command(sh`chown root:root ${paths} && chmod 4755 ${paths}`),
      ),
    ]
  },
}

/** @see proc_pid_mountinfo(5): field 5 is the mount point, field 6 its options; the longest match holds */
function isNosuid(mountinfo: string, path: string): boolean {
  const mounts = mountinfo
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , , , point = '']) => path.startsWith(point.endsWith('/') ? point : `${point}/`))
    .sort((a, b) => (a[4]?.length ?? 0) - (b[4]?.length ?? 0))
  return (mounts.at(-1)?.[5] ?? '').split(',').includes('nosuid')
}
