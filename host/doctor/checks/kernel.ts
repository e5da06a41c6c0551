import { sh } from '../../../syntax/shell/print.ts'
import { NOT_THERE } from '../../program.ts'
import type { Check } from '../check.ts'
import { command, edit, type Finding, fail, ok, warn } from '../finding.ts'
import { outputOf, runProgram, textOf } from '../look.ts'

type VirtualFacts = { readonly container: string; readonly machine: string }

/** What kind of machine this is: it decides where the other fixes have to be made. */
export const virtualization: Check<VirtualFacts> = {
  name: 'machine',
  summary: 'whether this is a virtual machine or a container, and which kind',
  async observe(_, signal) {
    // it exits with 1 when it finds nothing, and says so
    const detect = async (kind: string) => {
      return (await runProgram(['systemd-detect-virt', kind], signal)).stdout.trim()
    }
    return { container: await detect('--container'), machine: await detect('--vm') }
  },
  judge({ container, machine }) {
    if (container !== '' && container !== 'none')
      return [ok(`a container (${container}): kernel settings, the clock and devices are those of its host`)]
    if (machine !== '' && machine !== 'none') return [ok(`a virtual machine (${machine})`)]
    return [ok('no virtual machine or container was recognised')]
  },
}

export type NamespaceFacts = {
  /** Whether an ordinary user could make one just now; undefined: it could not be tried. */
  readonly works: boolean | undefined
  readonly problem: string
  /** As systemd-detect-virt says it; "none" or "" outside of containers. */
  readonly container: string
  /** Values below /proc/sys; undefined where the kernel has no such setting. */
  readonly unprivilegedClone: number | undefined
  readonly mostNamespaces: number | undefined
  readonly apparmorRestricts: number | undefined
  /** Ranges of ids that exist here, from /proc/self/uid_map: all of them outside of user namespaces. */
  readonly idsHere: readonly { readonly start: number; readonly count: number }[]
  /** Users and subordinate ids of the deployment. */
  readonly idsNeeded: readonly { readonly user: string; readonly start: number; readonly count: number }[]
}

const SYSCTLS = {
  unprivilegedClone: 'kernel.unprivileged_userns_clone',
  mostNamespaces: 'user.max_user_namespaces',
  apparmorRestricts: 'kernel.apparmor_restrict_unprivileged_userns',
} as const

/** Rootless containers are user namespaces. */
export const userNamespaces: Check<NamespaceFacts> = {
  name: 'user-namespaces',
  summary: 'whether ordinary users can make user namespaces, which rootless containers are',
  isForContainers: true,
  async observe({ isRoot, deployment }, signal) {
    // as root it always works; 65534 is nobody
    const drop = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'] : []
    const ran = await runProgram([...drop, 'unshare', '--user', '--map-root-user', 'true'], signal)
    const users = (deployment?.users ?? []).flatMap(({ name, uid, subuid }) => [
      ...(uid === undefined ? [] : [{ user: name, start: uid, count: 1 }]),
      ...(subuid === undefined ? [] : [{ user: name, ...subuid }]),
    ])
    const [unprivilegedClone, mostNamespaces, apparmorRestricts] = await Promise.all([
      readSysctl(SYSCTLS.unprivilegedClone),
      readSysctl(SYSCTLS.mostNamespaces),
      readSysctl(SYSCTLS.apparmorRestricts),
    ])
    return {
      works: ran.code === NOT_THERE ? undefined : ran.code === 0,
      problem: ran.stderr.trim(),
      container: (await outputOf(['systemd-detect-virt', '--container'], signal)).trim(),
      unprivilegedClone,
      mostNamespaces,
      apparmorRestricts,
      idsHere: parseIdMap(await textOf('/proc/self/uid_map')),
      idsNeeded: users,
    }
  },
  judge: (facts) => [possible(facts), ...idsThatDoNotExist(facts)],
}

function possible(facts: NamespaceFacts): Finding {
  const { works, problem, container, unprivilegedClone, mostNamespaces, apparmorRestricts } = facts
  const why = (cause: string) => `${cause}; without them no rootless container starts`
  if (unprivilegedClone === 0)
    return fail(
      'only root can make user namespaces',
      why(`${SYSCTLS.unprivilegedClone} is 0`),
      set('unprivilegedClone', 1),
    )
  if (mostNamespaces === 0)
    return fail('no user namespaces are allowed', why(`${SYSCTLS.mostNamespaces} is 0`), set('mostNamespaces', 15_000))
  const isContainer = container !== '' && container !== 'none'
  if (works === false && isContainer)
    return fail(`no user namespaces in this container (${container})`, why(problem), nesting(container))
  if (works === false && apparmorRestricts === 1)
    return fail(
      'AppArmor refuses user namespaces',
      why(`${SYSCTLS.apparmorRestricts} is 1`),
      set('apparmorRestricts', 0),
    )
  if (works === false)
    return fail('no user namespace can be made', why(problem), command(sh`dmesg --level=err,warn | tail -n 20`))
  if (apparmorRestricts === 1)
    return warn(
      'AppArmor lets only programs with a profile of their own use user namespaces',
      `${SYSCTLS.apparmorRestricts} is 1; podman and pasta need such a profile`,
      set('apparmorRestricts', 0),
    )
  if (works === undefined)
    return warn(
      'user namespaces could not be tried',
      'unshare or setpriv is missing',
      command(sh`apt-get install util-linux`),
    )
  return ok('ordinary users can make user namespaces')
}

function nesting(container: string) {
  const change =
    'lxc config set NAME security.nesting true (Incus: incus …; Proxmox: pct set ID --features nesting=1,keyctl=1), then restart it'
  return edit(
    container === 'lxc' ? 'the host of this LXC container' : `the host of this container (${container})`,
    change,
  )
}

function set(name: keyof typeof SYSCTLS, value: number) {
  const setting = `${SYSCTLS[name]}=${value}`
  return command(sh`echo ${setting} >/etc/sysctl.d/50-gate.conf && sysctl --write ${setting}`)
}

/**
 * In an unprivileged container only some ids exist: 65,536 by default, and none of our subordinate ranges is among
 * them.
 */
function idsThatDoNotExist({ idsHere, idsNeeded, container }: NamespaceFacts): Finding[] {
  const exists = ({ start, count }: { start: number; count: number }) =>
    idsHere.some((range) => start >= range.start && start + count <= range.start + range.count)
  const lost = idsHere.length === 0 ? [] : idsNeeded.filter((range) => !exists(range))
  const [first] = lost
  if (first === undefined) return []
  const last = Math.max(...lost.map(({ start, count }) => start + count))
  return [
    fail(
      `this container has no ids ${first.start}-${first.start + first.count - 1}, which ${first.user} needs`,
      `it was given ${idsHere.map(({ start, count }) => `${start}-${start + count - 1}`).join(', ')} only`,
      edit(
        `the host of this container (${container})`,
        `map ids up to ${last} into it: lxc.idmap, or raw.idmap of Incus`,
      ),
    ),
  ]
}

/** @see user_namespaces(7): first id inside, first id outside, how many */
export function parseIdMap(text: string): { start: number; count: number }[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([start, , count]) => (start === undefined || count === undefined ? [] : [{ start, count }]))
}

async function readSysctl(name: string): Promise<number | undefined> {
  const text = (await textOf(`/proc/sys/${name.replaceAll('.', '/')}`)).trim()
  return text === '' ? undefined : Number(text)
}
