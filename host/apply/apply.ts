import { readAccounts } from '../accounts.ts'
import {
  commit,
  dispensable,
  readGeneration,
  readGenerations,
  removeWhole,
  writeGeneration,
} from '../generations/generations.ts'
import type { Host } from '../host.ts'
import { nothingDesired } from '../plan/desired.ts'
import { type Observed, observe } from '../plan/observe.ts'
import { isEmptyPlan, makePlan, type Plan } from '../plan/plan.ts'
import type { UnitChange } from '../plan/units.ts'
import { HostError, type HostProblem } from '../problem.ts'
import { endAccount } from './end-account.ts'
import { removeImage } from './images.ts'
import { prepare, type Step } from './prepare.ts'
import { switchHost } from './switch.ts'
import { actOnUnits, must, removeNetwork, type UnitLimits } from './unit-actions.ts'

export type ApplyContext = {
  readonly step: Step
  readonly limits: UnitLimits
  /** Generations to keep, at least one. */
  readonly keep: number
}

/** How an apply ended. */
export type Applied =
  | { readonly kind: 'unchanged'; readonly number: number | undefined }
  | { readonly kind: 'applied'; readonly number: number }
  /** Nothing was switched: the host runs what it ran before. */
  | { readonly kind: 'not-switched'; readonly problems: readonly HostProblem[] }
  /** It was switched, did not work, and the generation before runs again (undefined: there was none). */
  | { readonly kind: 'rolled-back'; readonly to: number | undefined; readonly problems: readonly HostProblem[] }
  /** Neither works. */
  | {
      readonly kind: 'stuck'
      readonly to: number | undefined
      readonly problems: readonly HostProblem[]
      readonly rollbackProblems: readonly HostProblem[]
    }

/** Carries out a plan. The caller holds the lock, and has validated what the plan brings. */
export async function applyPlan(host: Host, plan: Plan, observed: Observed, context: ApplyContext): Promise<Applied> {
  if (isEmptyPlan(plan)) return { kind: 'unchanged', number: plan.number }
  const { prefix } = plan.desired.generation
  let number = plan.number
  try {
    await prepare(host, plan, observed, context.step)
    number ??= await context.step('new generation', async () =>
      writeGeneration(host, observed.generations, plan.desired),
    )
  } catch (error) {
    return { kind: 'not-switched', problems: problemsOf(error) }
  }
  try {
    await switchHost(host, plan, observed, number, context)
    commit(host, observed.generations, number)
  } catch (error) {
    // one that was there before may have worked, but for that of an apply that was cut off
    const failed = plan.number === undefined || plan.number === observed.generations.current ? number : undefined
    return await goBack(host, prefix, failed, problemsOf(error), context)
  }
  await cleanUp(host, plan, context)
  return { kind: 'applied', number }
}

/** Makes the generation before run again. @param failed a generation that never worked, which is removed */
async function goBack(
  host: Host,
  prefix: string,
  failed: number | undefined,
  problems: readonly HostProblem[],
  context: ApplyContext,
): Promise<Applied> {
  const generations = readGenerations(host, prefix)
  const to = generations.committed
  try {
    const before = to === undefined ? nothingDesired(prefix) : readGeneration(host, generations, to)
    const observed = await observe(host, before)
    const plan = makePlan(before, observed, to)
    if (to === undefined) await goBackToNone(host, plan, observed, context)
    else await switchHost(host, plan, observed, to, context)
    if (failed !== undefined && failed !== to) removeWhole(host, `${generations.directory}/generations/${failed}`)
    return { kind: 'rolled-back', to, problems }
  } catch (error) {
    return { kind: 'stuck', to, problems, rollbackProblems: problemsOf(error) }
  }
}

/**
 * What ran before the first apply, such as the gateway of the package, runs again, and starts at boot as it did then.
 */
async function goBackToNone(host: Host, plan: Plan, observed: Observed, context: ApplyContext): Promise<void> {
  const { generations, made } = observed
  const disable = plan.disable.filter((name) => made.enabled.includes(name))
  await switchHost(host, { ...plan, disable }, observed, undefined, context)
  const units = [...generations.manifests.values()].flatMap((manifest) => manifest.units)
  const ran = made.running.flatMap((name): UnitChange[] => {
    const unit = units.find((one) => one.manager === 'system' && one.name === name)
    return unit === undefined ? [] : [{ action: 'start', unit, why: 'it ran before' }]
  })
  if (ran.length === 0) return
  await context.step('start what ran before', () => actOnUnits(host, ran, observed.accounts, context.limits))
}

/** What the new generation does not need: done when it works, and again after the next apply if it fails. */
async function cleanUp(host: Host, plan: Plan, { keep, step }: ApplyContext): Promise<void> {
  const { users, subuids } = readAccounts(host)
  for (const { user, name } of plan.networks) {
    const account = users.get(user)
    if (account !== undefined) await removeNetwork(host, account, name)
  }
  const retired = plan.retired.flatMap((name) => users.get(name) ?? [])
  if (retired.length > 0)
    await step(`stop the managers of ${retired.map(({ name }) => name).join(', ')}`, async () => {
      await must(host, ['loginctl', 'disable-linger', ...retired.map(({ name }) => name)])
      await must(host, ['systemctl', 'stop', ...retired.map(({ uid }) => `user@${uid}.service`)])
      for (const account of retired) await endAccount(host, account, subuids)
    })
  await prune(host, plan.desired.generation.prefix, keep)
}

/** Removes old generations, and the images that only they needed. */
async function prune(host: Host, prefix: string, keep: number): Promise<void> {
  const generations = readGenerations(host, prefix)
  const { users } = readAccounts(host)
  const old = dispensable(generations, keep, [generations.current, generations.committed])
  const key = ({ user, image }: { user: string; image: string }) => `${user} ${image}`
  const kept = [...generations.manifests].filter(([number]) => !old.includes(number))
  const needed = new Set(kept.flatMap(([, { images }]) => images.map(key)))
  for (const number of old) {
    for (const image of generations.manifests.get(number)?.images ?? []) {
      const account = users.get(image.user)
      if (account !== undefined && !needed.has(key(image))) await removeImage(host, account, image.image)
    }
    removeWhole(host, `${generations.directory}/generations/${number}`)
  }
  for (const name of host.list(`${generations.directory}/generations`))
    if (name.endsWith('.old')) host.removeTree(`${generations.directory}/generations/${name}`)
}

function problemsOf(error: unknown): readonly HostProblem[] {
  if (error instanceof HostError) return error.problems
  throw error
}
