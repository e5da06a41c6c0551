import { planSpec } from '../../../host/deploy.ts'
import { localHost } from '../../../host/host.ts'
import type { Run } from '../../invocation.ts'
import { findingJson } from '../../output/finding-lines.ts'
import { planJson, planLines, planText } from '../../output/plan-text.ts'
import { converted, hostFailure, readHostSpec } from './deployment.ts'
import { noteHostFindings } from './host-findings.ts'

export const run: Run = async (invocation) => {
  const { json, print, printJson, note, flag } = invocation
  const host = localHost()
  const spec = await readHostSpec(host, invocation)
  const planned = await converted(() => planSpec(host, spec.compiled, spec.input.text))
  const { problems } = planned
  const changes = planLines(planned)
  const findings = await noteHostFindings(invocation, spec)
  if (json) printJson({ kind: 'plan', changes: planJson(changes), problems, findings: findings.map(findingJson) })
  else if (changes.length === 0) print('nothing to do: this host matches the spec')
  else print(planText(changes, flag('verbose') ? 'all' : 'diffs'))
  if (problems.length > 0) throw hostFailure(problems, 'this plan cannot be applied')
  if (!json && changes.length > 0) note('gatectl apply carries it out; gatectl plan --verbose lists each step')
  return changes.length === 0 ? 0 : 3
}
