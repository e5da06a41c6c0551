import { type Account, readAccounts } from '../accounts.ts'
import { makeParents, switchTo } from '../generations/generations.ts'
import type { Host } from '../host.ts'
import type { Observed } from '../plan/observe.ts'
import { statePath } from '../plan/ownership.ts'
import type { Plan } from '../plan/plan.ts'
import { isHarmful } from '../plan/planted.ts'
import { inStopOrder } from '../plan/units.ts'
import type { Step } from './prepare.ts'
import { renewAccounts } from './remove-planted.ts'
import { takeOver } from './take-over.ts'
import { actOnUnits, must, reloadManagers, type UnitLimits } from './unit-actions.ts'

/**
 * Makes a generation the one that runs: what is gone stops, files and links change, managers read them, and only what
 * changed restarts. Everything it needs is there already.
 * @param number of the generation that the links point to from now on; undefined for none
 */
export async function switchHost(
  host: Host,
  plan: Plan,
  observed: Observed,
  number: number | undefined,
  { step, limits }: { readonly step: Step; readonly limits: UnitLimits },
): Promise<void> {
  const accounts = readAccounts(host)
  const stops = plan.units.filter(({ action, unit }) => {
    return action === 'stop' && (unit.manager === 'system' || accounts.users.has(unit.manager))
  })
  const inOrder = inStopOrder(stops)
  if (stops.length > 0) await step(namesOf(inOrder), () => actOnUnits(host, inOrder, accounts, limits))
  const renewed = plan.planted.filter(isHarmful)
  if (renewed.length > 0)
    await step(`start ${renewed.map(({ user }) => user).join(', ')} anew`, () => renewAccounts(host, renewed, observed))
  if (plan.disable.length > 0) await must(host, ['systemctl', '--quiet', 'disable', ...plan.disable])
  await step(number === undefined ? 'files' : `switch to generation ${number}`, async () => {
    writeFiles(host, plan)
    switchTo(host, observed.generations, number)
  })
  const users = plan.reloads.flatMap((name) => accounts.users.get(name) ?? [])
  const running = await withManager(host, users)
  if (plan.files.length > 0 || plan.links.length > 0 || plan.isUnsettled)
    await step('read units again', () => reloadManagers(host, running))
  const isState = (path: string) => `${path}/`.startsWith(`${statePath(plan.desired.generation.prefix)}/`)
  // between the units of the one layout and the start of the other's
  if (plan.ownership.length > 0 || plan.directories.some(isState))
    await step('state and models', () => takeOver(host, plan.desired))
  if (plan.enable.length > 0) await must(host, ['systemctl', '--quiet', 'enable', ...plan.enable])
  const starts = plan.units.filter(({ action }) => action !== 'stop')
  if (starts.length > 0) await step(namesOf(starts), () => actOnUnits(host, starts, accounts, limits))
}

/** Those whose manager runs, in one question for all of them. */
async function withManager(host: Host, users: readonly Account[]): Promise<Account[]> {
  const there = users.filter(({ uid }) => host.status(`/run/user/${uid}/systemd/private`) !== undefined)
  if (there.length === 0) return []
  const asked = await host.ask(['systemctl', 'is-active', ...there.map(({ uid }) => `user@${uid}.service`)])
  const states = asked.stdout.trim().split('\n')
  return there.filter((_, i) => states[i] === 'active')
}

/** Files that are read through `current` change with it. */
function writeFiles(host: Host, { files, links }: Plan): void {
  for (const { place, after, mode, isLinked } of files) {
    if (isLinked) continue
    if (after === undefined) host.remove(place)
    else {
      makeParents(host, place)
      host.write(place, after, mode)
    }
  }
  for (const { kind, path, target } of links) {
    if (kind === 'remove') host.remove(path)
    else {
      makeParents(host, path)
      host.link(path, target)
    }
  }
}

/** `restart gate-qwen.service, start gate-daemon.service`. */
function namesOf(changes: Plan['units']): string {
  const shown = changes.slice(0, 4).map(({ action, unit }) => `${action} ${unit.name}`)
  const more = changes.length - shown.length
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
