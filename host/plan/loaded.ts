import { homeDirectories } from '../../compiler/ir/names.ts'
import { inPool } from '../../system/pool.ts'
import type { Account } from '../accounts.ts'
import { asUser, userctl } from '../as-user.ts'
import type { HostView } from '../host.ts'
import { TIMED_OUT } from '../program.ts'

/** What a manager has loaded, and why it is not root's. Names and places can hold any character. */
export type Loaded = { readonly what: 'unit' | 'variable' | 'manager'; readonly name: string; readonly why: string }

/**
 * What the managers of accounts have taken from elsewhere than from root's files, by user: units, drop-ins and variables
 * that they give to every unit. Files alone do not say that: one that is removed again stays loaded. A manager runs as
 * its account, which can make it lie; so this comes on top of what is found on the disk.
 */
export async function findLoaded(
  host: HostView,
  accounts: readonly Account[],
  generated: ReadonlySet<string>,
): Promise<ReadonlyMap<string, readonly Loaded[]>> {
  const pids = await managersOf(host, accounts)
  const asked = await inPool(accounts, MANAGERS_AT_ONCE, async (account) => {
    const pid = pids.get(account.uid)
    return [account.name, pid === undefined ? [] : await loadedBy(host, account, pid, generated)] as const
  })
  return new Map(asked)
}

const MANAGERS_AT_ONCE = 4
/** A manager answers in milliseconds; one that was stopped never does. */
const ANSWER_MS = 30_000
const MOST_TRIES = 4

/** Process ids of managers that run, by user id. */
async function managersOf(host: HostView, accounts: readonly Account[]): Promise<Map<number, string>> {
  const there = accounts.filter(({ uid }) => host.status(`/run/user/${uid}/systemd/private`) !== undefined)
  if (there.length === 0) return new Map()
  const units = there.map(({ uid }) => `user@${uid}.service`)
  const { stdout } = await host.ask(['systemctl', 'show', '--property=Id,ActiveState,MainPID', '--', ...units])
  const running = blocksOf(stdout).filter((block) => block.get('ActiveState') === 'active')
  return new Map(running.map((block) => [Number(/\d+/.exec(block.get('Id') ?? '')?.[0]), block.get('MainPID') ?? '']))
}

async function loadedBy(
  host: HostView,
  account: Account,
  pid: string,
  generated: ReadonlySet<string>,
): Promise<Loaded[]> {
  const ask = (...args: readonly string[]) => host.ask(userctl(account, 'show', ...args), { timeoutMs: ANSWER_MS })
  const list = () => ask(`--property=${WHERE}`, '--', ...TYPES)
  let shown = await list()
  // a unit that goes while it is shown fails the whole list
  for (let tries = 1; tries < MOST_TRIES && shown.code !== 0 && shown.code !== TIMED_OUT; tries++) shown = await list()
  if (shown.code !== 0) return [{ what: 'manager', name: account.name, why: 'it does not answer' }]
  const itself = await ask('--property=Environment')
  const variables = words(itself.stdout.slice('Environment='.length))
  const units = blocksOf(shown.stdout)
  const found: Loaded[] = []
  for (const unit of units) {
    const id = unit.get('Id') ?? ''
    const places = [unit.get('FragmentPath') ?? '', ...words(unit.get('DropInPaths') ?? '')].filter(Boolean)
    const foreign = places.filter((path) => !isRoots(host, account, path))
    if (places.length === 0 && isActive(unit)) found.push({ what: 'unit', name: id, why: 'it runs, and has no file' })
    if (foreign.length === 0 || isGenerated(account, id, foreign, generated) || isAutostart(unit, foreign)) continue
    const isPodmans = foreign.length === 1 && HEALTH_CHECK.test(id) && isTransient(account, id, foreign)
    if (isPodmans && (id.endsWith('.timer') || (await isHealthCheck(ask, id, variables)))) continue
    found.push({ what: 'unit', name: id, why: `it is from ${foreign.join(', ')}` })
  }
  return [...found, ...(await foreignVariables(host, account, pid, variables))]
}

const WHERE = 'Id,FragmentPath,DropInPaths,ActiveState'
/** What runs or starts something; scopes, slices and mounts do not. */
const TYPES = ['*.service', '*.socket', '*.timer', '*.path', '*.target']

/** Text of `systemctl show` -> properties of each unit. */
function blocksOf(text: string): ReadonlyMap<string, string>[] {
  return text
    .split(/\n\n+/)
    .filter((block) => block.trim() !== '')
    .map(
      (block) => new Map(block.split('\n').map((line) => [line.split('=', 1)[0] ?? '', line.replace(/^[^=]*=/, '')])),
    )
}

const isActive = (unit: ReadonlyMap<string, string>): boolean =>
  !['inactive', 'failed', undefined].includes(unit.get('ActiveState')) && !unit.get('Id')?.endsWith('.target')

/** Directories of units that are root's wherever a distribution has them, and of root's files others. */
const ROOTS = /^\/(?:etc|usr|lib|nix|run\/systemd|run\/current-system)\//

function isRoots(host: HostView, { uid, home }: Account, path: string): boolean {
  const own = [`/run/user/${uid}`, ...homeDirectories(home).account]
  if (own.some((directory) => path.startsWith(`${directory}/`))) return false
  return ROOTS.test(path) || host.status(path)?.uid === 0 || path.startsWith(`${home}/.config/systemd/user/`)
}

/** What it says is judged by its file. */
const isGenerated = ({ uid }: Account, id: string, places: readonly string[], generated: ReadonlySet<string>) => {
  const unit = id.replace(/@[^.]*\./, '@.')
  return places.length === 1 && generated.has(unit) && places[0] === `/run/user/${uid}/systemd/generator/${unit}`
}

/** Of systemd-xdg-autostart-generator, from root's files. Only a desktop starts them; a target may have them loaded. */
const isAutostart = (unit: ReadonlyMap<string, string>, places: readonly string[]) =>
  !isActive(unit) &&
  places.length === 1 &&
  /\/systemd\/generator\.late\/app-[^/]*@autostart\.service$/.test(places[0] ?? '')

const isTransient = ({ uid }: Account, id: string, places: readonly string[]) =>
  places[0] === `/run/user/${uid}/systemd/transient/${id}`

/** podman names the units of a health check after the container. @see podman-healthcheck-run(1) */
const HEALTH_CHECK = /^([0-9a-f]{64})(?:-startup)?(?:-[0-9a-f]+)?\.(?:timer|service)$/

/** All that such a service may say; everything else would run, or be, something else. */
const SAYS = [
  ...['ExecCondition', 'ExecStartPre', 'ExecStart', 'ExecStartPost', 'ExecReload', 'ExecStop', 'ExecStopPost'],
  ...['Environment', 'EnvironmentFiles', 'RootDirectory', 'RootImage', 'BindPaths', 'BindReadOnlyPaths'],
  ...['MountImages', 'ExtensionImages', 'ExtensionDirectories', 'TemporaryFileSystem'],
]

async function isHealthCheck(
  ask: (...args: readonly string[]) => Promise<{ readonly stdout: string }>,
  id: string,
  variables: readonly string[],
): Promise<boolean> {
  const container = HEALTH_CHECK.exec(id)?.[1]
  const { stdout } = await ask(`--property=${SAYS.join(',')}`, '--', id)
  const path = variables.find((variable) => variable.startsWith('PATH='))
  // a word with a line break in it would be a line that fits none of these
  return stdout
    .split('\n')
    .filter(Boolean)
    .every((line) => {
      const [, program = '', run = ''] =
        /^ExecStart=\{ path=(\S+) ; argv\[\]=(.*?) ; ignore_errors=no ; /.exec(line) ?? []
      if (program !== '') return ROOTS.test(program) && isCheckOf(container, program, run.split(' '))
      return /^\w+=$/.test(line) || line === `Environment=${path}`
    })
}

/** `podman [options] healthcheck run [--ignore-result] <id>`; podman 6 repeats its global options there. */
function isCheckOf(container: string | undefined, program: string, [first, ...rest]: readonly string[]): boolean {
  const at = rest.indexOf('healthcheck')
  const [run, ...last] = rest.slice(at + 1)
  const isRun = run === 'run' && last.filter((word) => word !== '--ignore-result').join(' ') === container
  return isRun && first === program && program.endsWith('/podman') && areHarmless(rest.slice(0, at))
}

const OF_DATA = /^--(?:root|runroot|tmpdir|volumepath|network-config-dir|imagestore)$/
const OF_PROGRAMS = /^--(?:runtime|hooks-dir|storage-opt|storage-driver)$/
const OTHERS =
  /^--(?:log-level|cgroup-manager|network-backend|db-backend|events-backend|transient-store|syslog)(?:=[\w-]+)?$/

/** What podman runs by them is root's. */
function areHarmless(options: readonly string[]): boolean {
  return options.every((word, i) => {
    const before = options[i - 1] ?? ''
    if (word.startsWith('-')) return [OF_DATA, OF_PROGRAMS, OTHERS].some((known) => known.test(word))
    const [, path] = /(\/.*)/.exec(word) ?? []
    return OF_DATA.test(before) || path === undefined || (OF_PROGRAMS.test(before) && ROOTS.test(path))
  })
}

/** Words as systemctl prints them: with quotes and escapes where they have spaces or the like. */
function words(text: string): string[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain = '']) =>
    quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1'),
  )
}

/** Set by units of root's files, such as those of GnuPG and OpenSSH. */
const USUAL = /^(?:DBUS_SESSION_BUS_ADDRESS|GPG_AGENT_INFO|SSH_AUTH_SOCK|SSH_AGENT_PID)=/

/** Neither those that the manager was started with nor those that generators of root make. */
async function foreignVariables(
  host: HostView,
  account: Account,
  pid: string,
  variables: readonly string[],
): Promise<Loaded[]> {
  const first = new Set((host.read(`/proc/${pid}/environ`) ?? '').split('\0'))
  const more = variables.filter((variable) => !first.has(variable) && !USUAL.test(variable))
  if (more.length === 0) return []
  const { stdout } = await host.ask(asUser(account, ['sh', '-c', GENERATORS]))
  const made = new Set(stdout.split('\n').map(nameOf))
  const foreign = more.map(nameOf).filter((name) => !made.has(name))
  return foreign.map((name) => ({ what: 'variable', name, why: 'every unit would get it' }))
}

const nameOf = (variable: string): string => variable.split('=', 1)[0] ?? ''

/** @see systemd.environment-generator(7) */
const GENERATORS = `for d in /run /etc /usr/local/lib /usr/lib; do
  for g in $d/systemd/user-environment-generators/*; do [ ! -x "$g" ] || "$g"; done
done`
