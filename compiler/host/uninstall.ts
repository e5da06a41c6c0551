import type { Generation, GenerationUnit, Made } from '../../schemas/generation.ts'
import { type Account, readAccounts } from './accounts.ts'
import { asUser } from './as-user.ts'
import { deployDirectory, nothingDesired, sha256 } from './desired.ts'
import type { Host } from './host.ts'
import { type Observed, observe } from './observe.ts'
import { makePlan } from './plan.ts'
import { hashesOf } from './plan-files.ts'
import type { UnitChange } from './plan-units.ts'
import type { Step } from './prepare.ts'
import { unitKey } from './running.ts'
import { switchHost } from './switch.ts'
import { actOnUnits, must, type UnitLimits } from './unit-actions.ts'

export type UninstallContext = { readonly step: Step; readonly limits: UnitLimits; readonly purge: boolean }

/** What stays on the host, with the reason. */
export type Kept = { readonly path: string; readonly why: string }

/**
 * Takes back exactly what apply made, as its records say: units, files, links, accounts, directories, generations. Volumes,
 * models and the database stay unless they are to be purged. Cut off, it can be done again. @returns what stays
 */
export async function uninstall(host: Host, prefix: string, context: UninstallContext): Promise<Kept[]> {
  const { step, purge } = context
  const observed = await observe(host, nothingDesired(prefix))
  const { made, generations } = observed
  const plan = makePlan(nothingDesired(prefix), observed)
  const kept = changedFiles(observed)
  const mine = made.accounts.flatMap((name) => observed.accounts.users.get(name) ?? [])
  const homes = homesOf([...generations.manifests.values()], made)
  const disable = plan.disable.filter((name) => made.enabled.includes(name))
  // podman needs the managers to clean up
  const units = unitsOfEverybody(observed).map((unit): UnitChange => ({ action: 'stop', unit, why: 'uninstall' }))
  const backends = mine.filter(({ name }) => observed.managers.has(name))
  await step('stop units', () => actOnUnits(host, units, observed.accounts, context.limits))
  for (const account of backends) await step(`containers of ${account.name}`, () => removeContainers(host, account))
  if (backends.length > 0) await step('user managers', () => stopManagers(host, backends, made))
  await switchHost(host, { ...plan, disable, units: [], reloads: [] }, observed, undefined, context)
  await step('accounts', () => removeAccounts(host, made))
  for (const home of homes) kept.push(...removeHome(host, home, purge))
  kept.push(...removeState(host, prefix, made, purge))
  host.removeTree(`/run/${prefix}`)
  host.removeTree(deployDirectory(prefix))
  for (const directory of made.directories.toSorted().reverse()) host.removeEmpty(directory)
  if (made.running.length > 0) await host.run(['systemctl', 'start', ...made.running])
  return kept.filter(({ path }) => host.status(path) !== undefined)
}

/** What runs, but for the managers of users. */
function unitsOfEverybody({ generations, running }: Observed): GenerationUnit[] {
  const all = [...generations.manifests.values()].flatMap(({ units }) => units)
  const byKey = new Map(all.map((unit) => [unitKey(unit), unit]))
  return [...byKey]
    .filter(([key, { name, runs }]) => running.has(key) && runs !== 'foreign' && !name.startsWith('user@'))
    .map(([, unit]) => unit)
}

/** Files of ours that somebody changed since are theirs. */
function changedFiles(observed: Observed): Kept[] {
  const own = hashesOf(observed)
  return [...observed.files].flatMap(([path, seen]) => {
    const isOurs = seen.kind === 'file' && own.get(path)?.has(sha256(seen.text)) === true
    return isOurs ? [] : [{ path, why: 'somebody changed it since' }]
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

/** Homes of backends whose accounts apply made. */
function homesOf(generations: readonly Generation[], made: Made): string[] {
  const accounts = generations.flatMap((one) => one.accounts.filter(({ linger }) => linger))
  return [...new Set(accounts.filter(({ name }) => made.accounts.includes(name)).map(({ home }) => home))]
}

function removeHome(host: Host, home: string, purge: boolean): Kept[] {
  const storage = `${home}/.local/share/containers/storage`
  const volumes = host.list(`${storage}/volumes`)
  if (purge || volumes.length === 0) {
    host.removeTree(home)
    return []
  }
  for (const name of ['.cache', '.config']) host.removeTree(`${home}/${name}`)
  return volumes.map((name) => ({ path: `${storage}/volumes/${name}`, why: 'a volume' }))
}

/** The database, the runtime configuration and the models; and the numbers that the spec's users had. */
function removeState(host: Host, prefix: string, made: Made, purge: boolean): Kept[] {
  const state = `/var/lib/${prefix}`
  const lock = `/etc/${prefix}/gate.lock.json`
  if (!purge) {
    host.removeEmpty(`${state}/models`)
    const kept = host.list(state).map((name) => ({ path: `${state}/${name}`, why: 'state of the daemon' }))
    return [...kept, { path: lock, why: 'the user ids that these data belong to' }]
  }
  host.remove(lock)
  if (made.directories.includes(state)) host.removeTree(state)
  else for (const name of host.list(state)) host.removeTree(`${state}/${name}`)
  return []
}
