import type { GenerationUnit } from '../schemas/deploy/generation.ts'
import { parseListeningPaths } from '../system/proc-net.ts'
import type { Accounts } from './accounts.ts'
import type { HostView } from './host.ts'

/** Names a unit among those of all managers. */
export function unitKey({ manager, name }: Pick<GenerationUnit, 'manager' | 'name'>): string {
  return `${manager}/${name}`
}

type Running = { readonly running: ReadonlySet<string>; readonly enabled: ReadonlySet<string> }

/**
 * Which units run: those of the host by one request to systemd, those of users by their cgroups and sockets, which
 * takes no process at all.
 * @param socketTexts texts of a socket unit, which say where it listens
 */
export async function observeUnits(
  host: HostView,
  units: readonly GenerationUnit[],
  accounts: Accounts,
  socketTexts: (unit: GenerationUnit) => readonly string[],
): Promise<Running> {
  const system = units.filter(({ manager }) => manager === 'system')
  const shown = await showSystem(host, system)
  const listening = listeningPaths(host)
  const isRunning = (unit: GenerationUnit): boolean => {
    if (unit.manager === 'system') return shown.active.has(unit.name)
    if (unit.name.endsWith('.socket')) return listenPaths(socketTexts(unit)).some((path) => listening.has(path))
    const uid = accounts.users.get(unit.manager)?.uid
    return uid !== undefined && isPopulated(host, uid, unit.name)
  }
  return { running: new Set(units.filter(isRunning).map(unitKey)), enabled: shown.enabled }
}

async function showSystem(host: HostView, units: readonly GenerationUnit[]) {
  const [active, enabled] = [new Set<string>(), new Set<string>()]
  if (units.length === 0) return { active, enabled }
  const names = units.map(({ name }) => name)
  const { stdout } = await host.ask(['systemctl', 'show', '--property=Id,ActiveState,UnitFileState', '--', ...names])
  for (const block of stdout.split(/\n\n+/)) {
    const value = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(block)?.[1] ?? ''
    if (['active', 'reloading', 'activating'].includes(value('ActiveState'))) active.add(value('Id'))
    if (value('UnitFileState') === 'enabled') enabled.add(value('Id'))
  }
  return { active, enabled }
}

/** Paths of Unix sockets that are listened on. */
export const listeningPaths = (host: HostView): ReadonlySet<string> =>
  parseListeningPaths(host.read('/proc/net/unix') ?? '')

function listenPaths(texts: readonly string[]): string[] {
  return texts.flatMap((text) => [...text.matchAll(/^ListenStream=(\/\S+)$/gm)].map(([, path = '']) => path))
}

const CGROUP_ROOTS = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified']

/** Whether a service of a user's manager has processes. @see cgroups(7) "cgroup.events" */
function isPopulated(host: HostView, uid: number, unit: string): boolean {
  const inner = `user.slice/user-${uid}.slice/user@${uid}.service/app.slice/${unit}/cgroup.events`
  return CGROUP_ROOTS.some((root) => host.read(`${root}/${inner}`)?.includes('populated 1') === true)
}
