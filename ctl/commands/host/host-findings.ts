import { findingsBeforeApply } from '../../../host/doctor/before-apply.ts'
import type { CheckedFinding } from '../../../host/doctor/doctor.ts'
import { packageVersion } from '../../../system/version.ts'
import type { Invocation } from '../../invocation.ts'
import { findingLines, plain } from '../../output/finding-lines.ts'
import type { HostSpec } from './deployment.ts'

/** What this host lacks for the containers of a spec; shown with the plan, and not a reason to refuse it. */
export async function noteHostFindings(
  { note, json, isRoot, env }: Invocation,
  { compiled: { deployment }, input }: HostSpec,
): Promise<readonly CheckedFinding[]> {
  const findings = await findingsBeforeApply({
    names: deployment.names,
    spec: { kind: 'compiled', file: input.file, text: input.text, warnings: 0 },
    deployment,
    isApplied: true,
    isRoot,
    env,
    version: packageVersion(),
    daemon: Promise.resolve({ kind: 'silent', reason: 'it was not asked', hint: undefined }),
  })
  const width = Math.max(0, ...findings.map(({ check }) => check.length))
  if (!json) for (const finding of findings) note(findingLines(finding, width, plain).join('\n'))
  return findings
}
