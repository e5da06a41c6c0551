import { type Compiled, type CompileOptions, compile, type Refused } from '../compiler/compile.ts'
import { type Generations, readGeneration, readGenerations } from './generations/generations.ts'
import type { HostView } from './host.ts'
import { DEPLOYED_TARGETS, type Desired, desiredState } from './plan/desired.ts'
import { type Observed, observe } from './plan/observe.ts'
import { isEmptyPlan, makePlan, type Plan } from './plan/plan.ts'
import { missingRequirements } from './plan/requirements.ts'
import { validate } from './plan/validate.ts'
import { HostError, type HostProblem } from './problem.ts'
import { compiledPodman, readVersions } from './versions.ts'

/** A plan with what it was made of, and everything that forbids carrying it out. */
export type Planned = {
  readonly plan: Plan
  readonly observed: Observed
  readonly problems: readonly HostProblem[]
}

/** Compiles a spec for the versions of podman and systemd that the host has. */
export async function compileForHost(
  host: HostView,
  text: string,
  options: Pick<CompileOptions, 'file' | 'lock' | 'seed'>,
): Promise<Compiled | Refused> {
  const { podman, systemd } = await readVersions(host)
  return compile(text, {
    ...options,
    targets: DEPLOYED_TARGETS,
    ...(podman === undefined ? {} : { podman: compiledPodman(podman) }),
    ...(systemd === undefined ? {} : { systemd }),
  })
}

/** What a compiled spec changes on this host. */
export async function planSpec(host: HostView, compiled: Compiled, specText: string): Promise<Planned> {
  return await planDesired(host, desiredState(compiled, specText))
}

/** What going back to a generation changes; without a number, to the one before the current. */
export async function planRollback(host: HostView, prefix: string, asked: number | undefined): Promise<Planned> {
  const generations = readGenerations(host, prefix)
  const number = asked ?? generationBefore(generations)
  return await planDesired(host, readGeneration(host, generations, number), number)
}

/** @throws HostError NO_GENERATION */
function generationBefore({ manifests, current }: Generations): number {
  const older = [...manifests.keys()].filter((number) => number < (current ?? 0))
  if (older.length > 0) return Math.max(...older)
  const message = current === undefined ? 'nothing has been applied yet' : `there is no generation before ${current}`
  throw new HostError({ code: 'NO_GENERATION', message, hint: 'gatectl generations lists them' })
}

async function planDesired(host: HostView, desired: Desired, number?: number): Promise<Planned> {
  const [observed, versions] = await Promise.all([observe(host, desired), readVersions(host)])
  const plan = makePlan(desired, observed, number)
  const missing = missingRequirements(host, desired, observed, versions)
  // what is there already was checked when it came
  const isChecked = isEmptyPlan(plan) || plan.files.every(({ after }) => after === undefined)
  const invalid = isChecked || missing.length > 0 ? [] : await validate(host, desired)
  return { plan, observed, problems: [...missing, ...invalid] }
}
