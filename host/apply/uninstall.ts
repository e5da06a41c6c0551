import { gatewayNames } from '../../compiler/ir/names.ts'
import type { GenerationUnit, Made } from '../../schemas/deploy/generation.ts'
import { type Account, readAccounts } from '../accounts.ts'
import { asUser } from '../as-user.ts'
import { removeWhole } from '../generations/generations.ts'
import type { Host } from '../host.ts'
import { deployDirectory, nothingDesired, sha256 } from '../plan/desired.ts'
import { hashesOf } from '../plan/files.ts'
import { type Observed, observe } from '../plan/observe.ts'
import { makePlan } from '../plan/plan.ts'
import type { UnitChange } from '../plan/units.ts'
import { unitKey } from '../running.ts'
import { endAccount, removeLeavings } from './end-account.ts'
import type { Step } from './prepare.ts'
import { retireIds } from './retired-ids.ts'
import { switchHost } from './switch.ts'
import { actOnUnits, must, type UnitLimits } from './unit-actions.ts'

export type UninstallContext = { readonly step: Step; readonly limits: UnitLimits; readonly purge: boolean }

/** What stays on the host, with the reason. */
export type Kept = { readonly path: string; readonly why: string }

/**
 * Takes back exactly what apply made, as its records say: units, files, links, accounts, directories, generations.
 * Volumes, models and the database stay unless they are to be purged. Cut off, it can be done again.
 * @returns what stays
 */
export async function uninstall(host: Host, prefix: string, context: UninstallContext): Promise<Kept[]> {
  const { step, purge } = context
  const observed = await observe(host, nothingDesired(prefix))
  const { made } = observed
  const plan = makePlan(nothingDesired(prefix), observed)
  const kept = changedFiles(observed)
  const mine = made.accounts.flatMap((name) => observed.accounts.users.get(name) ?? [])
  const disable = plan.disable.filter((name) => made.enabled.includes(name))
  // podman needs the managers to clean up
  const stop = (unit: GenerationUnit): UnitChange => ({ action: 'stop', unit, why: 'uninstall' })
  const [before, after] = runningUnits(observed)
  // what apply started ends, other programs of the host read what is left
  const readers = plan.units
    .filter(({ unit }) => unit.runs === 'foreign')
    .map((change): UnitChange => (made.started.includes(change.unit.name) ? { ...change, action: 'stop' } : change))
  const backends = mine.filter(({ name }) => observed.managers.has(name))
  await step('stop units', () => actOnUnits(host, before.map(stop), observed.accounts, context.limits))
  for (const account of backends) await step(`containers of ${account.name}`, () => removeContainers(host, account))
  if (backends.length > 0) await step('user managers', () => stopManagers(host, backends, made))
  const { subuids } = observed.accounts
  if (mine.length > 0)
    await step('processes', async () => {
      for (const account of mine) await endAccount(host, account, subuids)
      // systemd takes it down some time after the manager, and a later account would own it
      const runtimes = backends.map(({ uid }) => `user-runtime-dir@${uid}.service`)
      if (runtimes.length > 0) await must(host, ['systemctl', 'stop', ...runtimes])
    })
  await actOnUnits(host, after.map(stop), observed.accounts, context.limits)
  await switchHost(host, { ...plan, disable, units: readers, reloads: [] }, observed, undefined, context)
  const homes = mine.filter(({ home }) => home.startsWith(`/var/lib/${prefix}-backends/`))
  const volumes = homes.flatMap(({ name, home }) =>
    removeHome(host, home, purge).map((path) => ({ path, owner: name })),
  )
  const state = removeState(host, prefix, made, purge)
  const authority = removeAuthority(host, prefix, purge)
  kept.push(...volumes.map(({ path }) => ({ path, why: 'a volume' })), ...state, ...authority)
  // an id whose files stay must not become another account's
  const owners = new Set([...volumes.map(({ owner }) => owner), ...(state.length > 0 ? [prefix] : [])])
  const gone: Made = {
    ...made,
    accounts: made.accounts.filter((name) => !owners.has(name)),
    groups: state.length > 0 ? [] : made.groups,
  }
  const leaving = mine.filter(({ name }) => gone.accounts.includes(name))
  // while its state stays, the daemon's lock does: names and ports are the same again
  if (state.length === 0)
    kept.push(
      ...retireIds(host, prefix, leaving, subuids).map((path) => ({ path, why: 'ids that no account gets again' })),
    )
  await step('accounts', async () => {
    for (const account of leaving) await removeLeavings(host, account, subuids)
    await removeAccounts(host, gone)
  })
  host.removeTree(`/run/${prefix}`)
  forget(host, prefix, { made, gone, isWhole: state.length === 0 && authority.length === 0 })
  for (const directory of made.directories.toSorted().reverse()) host.removeEmpty(directory)
  if (made.running.length > 0) await host.run(['systemctl', 'start', ...made.running])
  return kept.filter(({ path }) => host.status(path) !== undefined)
}

/** Removes the generations, and the record of what was made but for what stays: a later uninstall may purge that. */
function forget(
  host: Host,
  prefix: string,
  { made, gone, isWhole }: { readonly made: Made; readonly gone: Made; readonly isWhole: boolean },
): void {
  const directory = deployDirectory(prefix)
  const accounts = made.accounts.filter((name) => !gone.accounts.includes(name))
  const groups = made.groups.filter((name) => !gone.groups.includes(name))
  for (const name of ['current', 'committed']) host.remove(`${directory}/${name}`)
  removeWhole(host, `${directory}/generations`)
  host.removeTree(`${directory}/secrets`)
  if (isWhole && accounts.length === 0 && groups.length === 0) {
    host.removeTree(directory)
    return
  }
  const rest: Made = {
    ...made,
    accounts,
    groups,
    memberships: [],
    linger: [],
    enabled: [],
    running: [],
    started: [],
    originals: {},
  }
  host.write(`${directory}/made.json`, `${JSON.stringify(rest, null, 2)}\n`, 0o600)
}

/** What runs, but for the managers of users: what stops before them, and what they require. */
function runningUnits({ generations, running }: Observed): [before: GenerationUnit[], after: GenerationUnit[]] {
  const all = [...generations.manifests.values()].flatMap(({ units }) => units)
  const byKey = new Map(all.map((unit) => [unitKey(unit), unit]))
  const isManager = ({ name }: GenerationUnit) => name.startsWith('user@')
  const ofManagers = new Set(all.filter(isManager).flatMap(({ files }) => files))
  const isRequired = ({ files: [own = ''] }: GenerationUnit) => ofManagers.has(own)
  const units = [...byKey]
    .filter(([key, unit]) => running.has(key) && unit.runs !== 'foreign' && !isManager(unit))
    .map(([, unit]) => unit)
  return [units.filter((unit) => !isRequired(unit)), units.filter(isRequired)]
}

/** Our own files that were changed since belong to the administrator. */
function changedFiles(observed: Observed): Kept[] {
  const own = hashesOf(observed)
  return [...observed.files].flatMap(([path, seen]) => {
    const isOurs = seen.kind === 'file' && own.get(path)?.has(sha256(seen.text)) === true
    return isOurs ? [] : [{ path, why: 'it was changed since' }]
  })
}

/** With its manager still there, which podman needs. */
async function removeContainers(host: Host, account: Account): Promise<void> {
  const podman = (...args: readonly string[]) => host.run(asUser(account, ['podman', ...args]))
  await podman('rm', '--all', '--force', '--time', '5')
  await podman('network', 'prune', '--force')
  await podman('image', 'rm', '--all', '--force')
  await podman('system', 'migrate') // ends the process that keeps its user namespace
}

async function stopManagers(host: Host, accounts: readonly Account[], made: Made): Promise<void> {
  const lingering = accounts.filter(({ name }) => made.linger.includes(name))
  if (lingering.length > 0) await must(host, ['loginctl', 'disable-linger', ...lingering.map(({ name }) => name)])
  await must(host, ['systemctl', 'stop', ...accounts.map(({ uid }) => `user@${uid}.service`)])
}

async function removeAccounts(host: Host, made: Made): Promise<void> {
  for (const name of made.linger) host.remove(`/var/lib/systemd/linger/${name}`)
  for (const { user, group } of made.memberships)
    if (readAccounts(host).groups.get(group)?.members.includes(user))
      await must(host, ['gpasswd', '--delete', user, group])
  for (const name of made.accounts) if (readAccounts(host).users.has(name)) await must(host, ['userdel', name])
  for (const name of made.groups) if (readAccounts(host).groups.has(name)) await must(host, ['groupdel', name])
}

/** @returns the volumes that stay, and with them what podman knows of them */
function removeHome(host: Host, home: string, purge: boolean): string[] {
  const storage = `${home}/.local/share/containers/storage`
  const volumes = host.list(`${storage}/volumes`)
  if (purge || volumes.length === 0) {
    host.removeTree(home)
    return []
  }
  for (const name of ['.cache', '.config']) host.removeTree(`${home}/${name}`)
  return volumes.map((name) => `${storage}/volumes/${name}`)
}

/** What the internal CA made goes with what serves it; its root stays, which clients have learnt. */
function removeAuthority(host: Host, prefix: string, purge: boolean): Kept[] {
  const { caDirectory, certificatesDirectory, issuerDirectory } = gatewayNames(
    prefix === 'gate' ? undefined : prefix.slice('gate-'.length),
  )
  for (const path of [certificatesDirectory, issuerDirectory]) host.removeTree(path)
  if (purge || host.status(`${caDirectory}/root.key`) === undefined) {
    host.removeTree(caDirectory)
    return []
  }
  return [{ path: caDirectory, why: 'the CA that clients trust' }]
}

/** The database, the runtime configuration and the models; and the numbers that the spec's users had. */
function removeState(host: Host, prefix: string, made: Made, purge: boolean): Kept[] {
  const state = `/var/lib/${prefix}`
  const lock = `/etc/${prefix}/gate.lock.json`
  const models = `${state}/models`
  // else the package's, which stays
  const isOurs = made.directories.includes(models)
  if (!purge) {
    if (isOurs) host.removeEmpty(models)
    const left = host.list(state).filter((name) => name !== 'models' || host.list(models).length > 0)
    const kept = left.map((name) => ({ path: `${state}/${name}`, why: 'state of the daemon' }))
    return kept.length === 0 ? [] : [...kept, { path: lock, why: 'the user ids that these data belong to' }]
  }
  if (made.directories.includes(state)) host.removeTree(state)
  else {
    const places = host.list(state).map((name) => `${state}/${name}`)
    const within = (path: string) => host.list(path).map((name) => `${path}/${name}`)
    for (const path of places.flatMap((path) => (path === models && !isOurs ? within(path) : [path])))
      host.removeTree(path)
    // its group goes, and a later one may get the number
    const isLeft = !isOurs && made.groups.includes(`${prefix}-models`)
    if (isLeft && host.status(models)?.kind === 'directory') host.takeOwnership(models, 0)
  }
  return []
}
