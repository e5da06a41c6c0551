import { sh } from '../../../syntax/shell/print.ts'
import type { Check } from '../check.ts'
import { command, edit, type Finding, fail, listed, ok, warn } from '../finding.ts'
import { presentUsers, readText, statFileSystem, textOf } from '../look.ts'

/** Of statfs(2) for a file system of type cgroup2. */
const CGROUP2_MAGIC = 0x63677270

/** What limits of backends need: cpu, memory and pids are used by all our quadlets. */
const NEEDED = ['cpu', 'memory', 'pids'] as const
const USEFUL = ['cpuset', 'io'] as const

export type CgroupFacts = {
  readonly isVersion2: boolean
  /** Controllers that the kernel gives to systemd. */
  readonly atRoot: readonly string[]
  /** Of each user's manager; absent managers are another check's matter. */
  readonly users: readonly { readonly user: string; readonly uid: number; readonly controllers: readonly string[] }[]
}

export const cgroups: Check<CgroupFacts> = {
  name: 'cgroups',
  summary:
    'whether cgroups are of version 2 and their controllers (cpu, memory, pids, cpuset, io) are delegated to the backend users',
  isForContainers: true,
  async observe({ deployment }) {
    const root = await statFileSystem('/sys/fs/cgroup')
    const lingering = presentUsers(deployment).flatMap(({ name, uid, linger }) =>
      linger && uid !== undefined ? [{ user: name, uid }] : [],
    )
    const users = lingering.map(async ({ user, uid }) => {
      const seen = await readText(`/sys/fs/cgroup/user.slice/user-${uid}.slice/user@${uid}.service/cgroup.controllers`)
      return seen.kind === 'seen' ? [{ user, uid, controllers: controllerList(seen.value) }] : []
    })
    return {
      isVersion2: root.kind === 'seen' && root.value.type === CGROUP2_MAGIC,
      atRoot: controllerList(await textOf('/sys/fs/cgroup/cgroup.controllers')),
      users: (await Promise.all(users)).flat(),
    }
  },
  judge({ isVersion2, atRoot, users }) {
    if (!isVersion2)
      return [
        fail(
          'cgroups are of version 1',
          'rootless containers have no limits and quadlets do not start',
          edit(
            'the kernel command line',
            'remove systemd.unified_cgroup_hierarchy=0 and cgroup_no_v1; then update-grub and reboot',
          ),
        ),
      ]
    const lost = NEEDED.filter((name) => !atRoot.includes(name))
    if (lost.length > 0)
      return [
        fail(
          `the kernel gives no cgroup controller ${listed(lost)}`,
          'limits of backends cannot be set, and crun may refuse to start containers',
          edit('the kernel command line', 'remove cgroup_disable=; inside a container, let its host delegate them'),
        ),
      ]
    const findings = users.flatMap((user) => undelegated(user, atRoot))
    return findings.length > 0
      ? findings
      : [ok(users.length === 0 ? 'version 2, every controller is there' : 'version 2, delegated to every backend user')]
  },
}

function undelegated({ user, uid, controllers }: CgroupFacts['users'][number], atRoot: readonly string[]): Finding[] {
  const lost = [...NEEDED, ...USEFUL].filter(
    (name) => !controllers.includes(name) && (atRoot.includes(name) || NEEDED.some((needed) => needed === name)),
  )
  if (lost.length === 0) return []
  const isBad = lost.some((name) => NEEDED.some((needed) => needed === name))
  const file = '/etc/systemd/system/user@.service.d/50-gate-delegate.conf'
  const fix = command(
    sh`mkdir -p ${file.slice(0, file.lastIndexOf('/'))} && printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' >${file} && systemctl daemon-reload && systemctl restart user@${uid}.service`,
  )
  const what = `${user} may not use the cgroup controller ${listed(lost)}`
  return [
    isBad
      ? fail(what, 'memory, cpu and pids of its backend cannot be set', fix)
      : warn(what, 'pinning to CPUs and limits of disk traffic do nothing', fix),
  ]
}

function controllerList(text: string): string[] {
  return text.split(/\s+/).filter((name) => name !== '')
}
