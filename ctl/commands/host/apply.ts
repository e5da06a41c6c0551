import { createInterface } from 'node:readline/promises'
import { type Applied, applyPlan } from '../../../host/apply/apply.ts'
import { type Planned, planSpec } from '../../../host/deploy.ts'
import { type Host, localHost } from '../../../host/host.ts'
import { isEmptyPlan } from '../../../host/plan/plan.ts'
import type { ExitCode } from '../../failure.ts'
import type { Invocation, Run } from '../../invocation.ts'
import { planJson, planLines, planText, problemText } from '../../output/plan-text.ts'
import {
  converted,
  hostFailure,
  lockHost,
  readHostSpec,
  requireRoot,
  stepPrinter,
  unitTimeoutMs,
  writeLockFile,
} from './deployment.ts'
import { noteHostFindings } from './host-findings.ts'

export const run: Run = (invocation) => applySpec(invocation, localHost())

/** @param host what is changed; its effects come in a fixed order */
export async function applySpec(invocation: Invocation, host: Host): Promise<ExitCode> {
  requireRoot(invocation, 'apply')
  const named = await readHostSpec(host, invocation)
  const lock = await lockHost(invocation, named.prefix, 'apply')
  try {
    const spec = await readHostSpec(host, { ...invocation, note: () => {} }) // as it is now that no other program changes it
    const planned = await converted(() => planSpec(host, spec.compiled, spec.input.text))
    if (!isEmptyPlan(planned.plan)) await noteHostFindings(invocation, spec)
    const keep = spec.compiled.deployment.gateway.keepGenerations
    return await carryOut(invocation, host, planned, { keep, before: () => writeLockFile(host, spec) })
  } finally {
    await lock.release()
  }
}

type Carrying = { readonly keep: number; readonly before: () => void }

/** Shows a plan, asks when there is a terminal, and carries it out. */
export async function carryOut(
  invocation: Invocation,
  host: Host,
  { plan, observed, problems }: Planned,
  { keep, before }: Carrying,
): Promise<ExitCode> {
  const { json, note, flag, stdin, stderr } = invocation
  const changes = planLines({ plan, observed })
  if (!json && changes.length > 0) note(planText(changes, 'none'))
  if (problems.length > 0) throw hostFailure(problems, 'nothing was changed')
  const isTerminal = stdin.isTTY && stderr.isTTY
  if (changes.length > 0 && isTerminal && !flag('yes') && !(await isAgreed(invocation))) {
    note('nothing was changed')
    return 1
  }
  const limits = { timeoutMs: unitTimeoutMs(invocation) }
  const step = stepPrinter(invocation)
  const result = await converted(async () => {
    before()
    return await applyPlan(host, plan, observed, { step, limits, keep })
  })
  return report(invocation, result, planJson(changes))
}

/** Asks on the terminal. */
export async function isAgreed({ stdin, stderr }: Invocation): Promise<boolean> {
  const terminal = createInterface({ input: stdin, output: stderr })
  try {
    return /^y(?:es)?$/i.test((await terminal.question('continue? [y/N] ')).trim())
  } finally {
    terminal.close()
  }
}

function report({ json, printJson, print }: Invocation, result: Applied, changes: unknown): ExitCode {
  const isDone = result.kind === 'unchanged' || result.kind === 'applied'
  if (json) {
    printJson({ ...result, changes })
    return isDone ? 0 : 1
  }
  switch (result.kind) {
    case 'unchanged':
      print('nothing to do: this host matches the spec')
      return 0
    case 'applied':
      print(`generation ${result.number} runs`)
      return 0
    case 'not-switched':
      throw hostFailure(result.problems, 'nothing was switched; what ran before keeps running')
    case 'rolled-back': {
      const back =
        result.to === undefined
          ? 'units and files were restored; what ran before runs again'
          : `generation ${result.to} runs again`
      throw hostFailure(result.problems, `the apply failed, and ${back}`)
    }
    case 'stuck': {
      const back = result.to === undefined ? 'rolling back' : `going back to generation ${result.to}`
      const also = `${back} failed as well:\n${problemText(result.rollbackProblems)}\nfix it, then run: gatectl apply`
      throw hostFailure(result.problems, 'the apply failed', also)
    }
  }
}
