import { quadletDirectory } from '../../compiler/ir/names.ts'
import type { Account } from '../accounts.ts'
import type { HostView } from '../host.ts'

/** What podman's generator makes of all quadlets of this host now: services by name, as `wordsOf` them. */
export type Generated = {
  readonly texts: ReadonlyMap<string, string>
  /** The program; undefined: there is none. */
  readonly program: string | undefined
}

const PROGRAMS = ['/usr/libexec/podman/quadlet', '/usr/lib/podman/quadlet']
const QUADLETS = '/etc/containers/systemd/users'

export const quadletProgram = (host: HostView): string | undefined =>
  PROGRAMS.find((path) => host.status(path) !== undefined)

/** One process for all accounts. */
export async function readGenerated(host: HostView): Promise<Generated> {
  const program = quadletProgram(host)
  if (program === undefined || host.status(QUADLETS) === undefined) return { texts: new Map(), program }
  const ran = await host.ask(['env', `QUADLET_UNIT_DIRS=${QUADLETS}`, program, '-user', '-dryrun'])
  const [, ...parts] = ran.stdout.split(/^---(.+)---$/m)
  const texts = parts.flatMap((name, i) => (i % 2 === 0 ? [[name, wordsOf(parts[i + 1] ?? '')] as const] : []))
  return { texts: new Map(texts), program }
}

/** Without comments; quadlet has some options in any order, another one each time. */
function wordsOf(text: string): string {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return lines.map((line) => line.split(' ').toSorted().join(' ')).join('\n')
}

/**
 * What an account has put into the directories of generators, which are its own. A reload empties them, and until then
 * its manager reads them like any other. They hold what quadlets make, and starts of those; and what
 * systemd-xdg-autostart-generator makes of root's files, which nothing starts without a desktop.
 * @param own units of the deployment, which one of generator.early would replace; templates without an instance
 */
export function foreignGenerated(
  host: HostView,
  { uid }: Account,
  generated: Generated,
  own: ReadonlySet<string>,
): string[] {
  // NixOS has the program elsewhere: nothing says what it makes
  if (generated.program === undefined) return []
  const top = `/run/user/${uid}/systemd`
  const isOwn = (unit: string) => generated.texts.has(unit.replace(/@[^.]*\./, '@.'))
  return ['generator', 'generator.early', 'generator.late'].flatMap((directory) => {
    const at = `${top}/${directory}`
    const kind = host.status(at)?.kind
    if (kind !== undefined && kind !== 'directory') return [at]
    return host.list(at).flatMap((name) => {
      const path = `${at}/${name}`
      const pulled = /^(.*)\.(?:wants|requires|upholds)$/.exec(name)?.[1]
      if (pulled === 'xdg-desktop-autostart.target') return []
      if (pulled !== undefined)
        return host
          .list(path)
          .filter((unit) => directory !== 'generator' || !isOwn(unit) || !isLinkTo(host, `${path}/${unit}`, unit))
          .map((unit) => `${path}/${unit}`)
      if (name.endsWith('.d')) return [path]
      if (!isOwn(name) && !own.has(name.replace(/@[^.]*\./, '@.')))
        return host.status(path)?.kind === 'link' ? [path] : []
      return directory === 'generator' && isAsMade(host, uid, name, generated) ? [] : [path]
    })
  })
}

const isLinkTo = (host: HostView, path: string, unit: string): boolean => {
  const target = host.status(path)?.target ?? ''
  return target === `../${unit}` || target === `../${unit.replace(/@[^.]*\./, '@.')}`
}

/** Or stale: made before its quadlet changed, or podman. Nobody can set back the time of a change. */
function isAsMade(host: HostView, uid: number, name: string, { texts, program }: Generated): boolean {
  const inner = `systemd/generator/${name}`
  const text = host.readUntrusted(`/run/user/${uid}`, inner)
  if (text !== undefined && wordsOf(text) === texts.get(name)) return true
  const made = host.status(`/run/user/${uid}/${inner}`)
  if (made?.kind !== 'file') return made?.kind === 'link'
  const quadlets = quadletDirectory(uid)
  const sources = [
    ...host.list(quadlets).map((one) => `${quadlets}/${one}`),
    ...(program === undefined ? [] : [program]),
  ]
  return sources.some((path) => (host.status(path)?.changedMs ?? 0) >= made.changedMs)
}
