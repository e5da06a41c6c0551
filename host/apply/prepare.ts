import { randomBytes } from 'node:crypto'
import type { Made } from '../../schemas/deploy/generation.ts'
import { type Account, readAccounts } from '../accounts.ts'
import { asUser } from '../as-user.ts'
import { makeParents, parentOf } from '../generations/generations.ts'
import type { Host } from '../host.ts'
import { deployDirectory } from '../plan/desired.ts'
import type { Observed } from '../plan/observe.ts'
import { statePath, tmpfilesText } from '../plan/ownership.ts'
import type { Plan } from '../plan/plan.ts'
import { HostError } from '../problem.ts'
import { unitKey } from '../running.ts'
import { makeDirectories } from './directories.ts'
import { fetchImage } from './images.ts'
import { takeHomes } from './remove-planted.ts'
import { inParallel, must, startManagers } from './unit-actions.ts'

/** Announces a step of the work; its time is known when the work is done. Long work says how far it is. */
export type Step = <T>(what: string, work: (say: (progress: string) => void) => Promise<T>) => Promise<T>

/**
 * Makes everything that a generation needs and that disturbs nothing: accounts, directories, secrets, user managers,
 * images. Done again, it makes what is still missing.
 */
export async function prepare(host: Host, plan: Plan, observed: Observed, step: Step): Promise<void> {
  noteMade(host, plan, observed)
  if (plan.groups.length > 0 || plan.accounts.some(({ isNew, joins }) => isNew || joins.length > 0))
    await step('users and groups', () => must(host, ['systemd-sysusers', '-'], sysusersText(plan)))
  for (const { account, leaves } of plan.accounts)
    for (const group of leaves) await must(host, ['gpasswd', '--delete', account.name, group])
  const ranges = plan.accounts.filter(({ needsSubuids, needsSubgids }) => needsSubuids || needsSubgids)
  if (ranges.length > 0) await step('subordinate ids', () => addSubids(host, ranges))
  if (plan.planted.length > 0) await step('homes', () => takeHomes(host, plan.planted, observed.accounts))
  if (plan.directories.length + plan.planted.length > 0) {
    // those of state are made with the switch: the daemon that runs may belong to another layout
    const state = statePath(plan.desired.generation.prefix)
    const others = plan.directories.filter((path) => !`${path}/`.startsWith(`${state}/`))
    const tmpfiles = { text: tmpfilesText(plan.desired), where: `--exclude-prefix=${state}` }
    await step('directories', (say) => makeDirectories(host, others, observed.accounts, tmpfiles, say))
  }
  if (plan.secrets.length > 0) await step('secrets', async () => makeSecrets(host, plan))
  await prepareManagers(host, plan, observed, step)
  const { users } = readAccounts(host)
  await inParallel(plan.images, PULLS_AT_ONCE, async (image) => {
    const account = users.get(image.user)
    if (account === undefined) throw new Error(`no account ${image.user}`)
    await step(`image ${image.image} for ${image.user}`, (say) => fetchImage(host, account, image, say))
  })
}

const PULLS_AT_ONCE = 3

/** Before anything is made: an apply that is cut off must not leave what uninstall does not know. */
function noteMade(host: Host, plan: Plan, observed: Observed): void {
  const { made, accounts } = observed
  const { generation } = plan.desired
  const joined = plan.accounts.flatMap(({ joins }) => joins)
  const newUsers = plan.accounts.filter(({ isNew }) => isNew).map(({ account }) => account.name)
  const directories = [
    deployDirectory(generation.prefix),
    ...plan.directories,
    ...plan.files.map(({ place }) => parentOf(place)),
    ...plan.links.map(({ path }) => parentOf(path)),
    ...(plan.accounts.some(({ needsLinger }) => needsLinger) ? [LINGER_DIRECTORY] : []),
  ].flatMap((path) => missingFrom(host, path))
  const isFirst = observed.generations.manifests.size === 0
  const ranBefore = generation.units.filter((unit) => unit.manager === 'system' && observed.running.has(unitKey(unit)))
  const next: Made = {
    version: 1,
    accounts: union(made.accounts, newUsers),
    groups: union(
      made.groups,
      [...plan.groups, ...joined].filter((name) => !accounts.groups.has(name) && !newUsers.includes(name)),
    ),
    memberships: [
      ...made.memberships,
      ...plan.accounts
        .filter(({ account, isNew }) => !isNew && !made.accounts.includes(account.name))
        .flatMap(({ account, joins }) => joins.map((group) => ({ user: account.name, group })))
        .filter(({ user, group }) => !made.memberships.some((known) => known.user === user && known.group === group)),
    ],
    linger: union(
      made.linger,
      plan.accounts.filter(({ needsLinger }) => needsLinger).map(({ account }) => account.name),
    ),
    directories: union(made.directories, directories),
    originals: { ...made.originals, ...replacedConffiles(plan, observed) },
    enabled: union(made.enabled, plan.enable),
    running: isFirst ? ranBefore.filter(({ runs }) => runs !== 'foreign').map(({ name }) => name) : made.running,
    started: union(
      made.started,
      plan.units
        .filter(({ unit }) => unit.runs === 'foreign' && !observed.running.has(unitKey(unit)))
        .map(({ unit }) => unit.name),
    ),
  }
  const file = `${deployDirectory(generation.prefix)}/made.json`
  const text = `${JSON.stringify(next, null, 2)}\n`
  if (host.read(file) === text) return
  makeParents(host, file)
  host.write(file, text, 0o600)
}

/** Texts of packages that give way to ours. */
function replacedConffiles({ files }: Plan, { conffiles }: Observed): Made['originals'] {
  const replaced = files.filter(({ place, kind }) => kind === 'change' && conffiles.has(place))
  return Object.fromEntries(replaced.map(({ place, before }) => [place, before ?? '']))
}

/** Made by logind with the first user that lingers. */
const LINGER_DIRECTORY = '/var/lib/systemd/linger'

/** The directory and those above it that are not there yet, topmost first. */
function missingFrom(host: Host, path: string): string[] {
  const missing: string[] = []
  for (let at = path; at !== '' && host.status(at) === undefined; at = parentOf(at)) missing.unshift(at)
  return missing
}

const union = (a: readonly string[], b: readonly string[]): string[] => [...new Set([...a, ...b])].sort()

function sysusersText({ desired }: Plan): string {
  return [...desired.texts].find(([path]) => path.startsWith('systemd/sysusers.d/'))?.[1] ?? ''
}

async function addSubids(host: Host, changes: Plan['accounts']): Promise<void> {
  for (const { account, needsSubuids, needsSubgids } of changes) {
    const { subuid, name } = account
    if (subuid === undefined) continue
    const range = `${subuid.start}-${subuid.start + subuid.count - 1}`
    const options = [
      ...(needsSubuids ? ['--add-subuids', range] : []),
      ...(needsSubgids ? ['--add-subgids', range] : []),
    ]
    await must(host, ['usermod', ...options, name])
  }
  const { users } = readAccounts(host)
  for (const { account } of changes) {
    const user = users.get(account.name)
    // podman's user namespace keeps the ids that it was made with
    if (user !== undefined && host.status(`/run/user/${user.uid}/libpod/tmp/pause.pid`) !== undefined)
      await must(host, asUser(user, ['podman', 'system', 'migrate']))
  }
}

/** 256 bits each; what is there already is never replaced. */
function makeSecrets(host: Host, { secrets, desired }: Plan): void {
  const directory = `${deployDirectory(desired.generation.prefix)}/secrets`
  makeParents(host, directory)
  host.makeDirectory(directory, 0o700)
  for (const name of secrets) host.write(`${directory}/${name}`, randomBytes(32).toString('base64'), 0o600)
}

/** User managers start with the controllers and groups that they find: those come first. */
async function prepareManagers(host: Host, plan: Plan, observed: Observed, step: Step): Promise<void> {
  // but for the units that it requires, which come with the switch
  const isForManagers = (place: string) => /\/user@\d*\.service\.d\/50-/.test(place)
  const dropIns = plan.files.filter(({ place, after }) => isForManagers(place) && after !== undefined)
  for (const { place, after, mode } of dropIns) {
    makeParents(host, place)
    host.write(place, after ?? '', mode)
  }
  if (dropIns.length > 0) await step('delegation', () => must(host, ['systemctl', 'daemon-reload']))
  const { users } = readAccounts(host)
  const wanted = plan.desired.generation.accounts
    .filter(({ linger }) => linger)
    .flatMap(({ name }) => users.get(name) ?? [])
  const lingers = new Set(plan.accounts.filter(({ needsLinger }) => needsLinger).map(({ account }) => account.name))
  // one that was stopped, with a unit that it requires, leaves its socket
  const runs = ({ name, uid }: Account) =>
    observed.managers.has(name) && observed.running.has(`system/user@${uid}.service`)
  const starting = wanted.filter((account) => !runs(account) || lingers.has(account.name))
  if (starting.length > 0) await step('user managers', () => startManagers(host, starting))
  refuseWithoutRuntime(host, wanted)
}

function refuseWithoutRuntime(host: Host, accounts: readonly Account[]): void {
  const without = accounts.find(({ uid }) => host.status(`/run/user/${uid}/systemd/private`) === undefined)
  if (without === undefined) return
  const { name, uid } = without
  const hint = `see: journalctl -u user@${uid}.service; packages libpam-systemd and dbus-user-session are needed`
  throw new HostError({ code: 'UNIT_FAILED', message: `the user manager of ${name} does not run`, hint })
}
