import { sh } from '../../../syntax/shell/print.ts'
import { readGenerations } from '../../generations/generations.ts'
import { type HostView, localHost } from '../../host.ts'
import { findPlanted, isHarmful, type Planted } from '../../plan/planted.ts'
import { HostError } from '../../problem.ts'
import type { Check, Subject } from '../check.ts'
import { command, type Finding, fail, listed, ok, ROOT_SEES_MORE, skip } from '../finding.ts'
import { readHostAccounts, runProgram } from '../look.ts'

export type PlantedFacts = {
  readonly isRoot: boolean
  readonly planted: readonly Planted[]
}

export const planted: Check<PlantedFacts> = {
  name: 'planted',
  summary:
    'whether accounts of backends have made units, drop-ins, variables of their managers, quadlets, D-Bus services, crontabs or jobs of at(1)',
  isForApplied: true,
  async observe(subject, signal) {
    const { isRoot } = subject
    const host: HostView = { ...localHost(), ask: (command) => runProgram(command, signal) }
    return { isRoot, planted: isRoot ? await findPlanted(host, applied(subject), readHostAccounts()) : [] }
  },
  judge({ isRoot, planted: found }) {
    if (!isRoot) return [skip('what accounts of backends have made', ROOT_SEES_MORE)]
    const findings = found.flatMap(judgePlanted)
    return findings.length > 0 ? findings : [ok('accounts of backends have made nothing that is read on its own')]
  },
}

/** The generation that runs; on a host without one, what the spec asks for. */
function applied({ deployment, names }: Subject): Parameters<typeof findPlanted>[1] {
  const asked = { accounts: deployment?.users ?? [], files: [] }
  try {
    const { manifests, current } = readGenerations(localHost(), names.prefix)
    return (current === undefined ? undefined : manifests.get(current)) ?? asked
  } catch (error) {
    if (!(error instanceof HostError)) throw error
    return asked // the check of the generation says why
  }
}

function judgePlanted(one: Planted): Finding[] {
  const { user, inHome, inRuntime, jobs, loaded, untaken } = one
  const fix = command(sh`gatectl apply`)
  if (!isHarmful(one)) {
    const why = `${user} can put units there that its manager reads; an apply makes it root's`
    return [fail(`${listed(untaken)} should be root's`, why, fix)]
  }
  const why = 'its manager, podman, D-Bus or cron reads it; an apply removes it and starts the account anew'
  const files = [...inHome, ...inRuntime, ...jobs]
  return [
    ...(files.length > 0 ? [fail(`${user} has made ${listed(files)}`, why, fix)] : []),
    ...loaded.map(({ what, name, why: reason }) =>
      fail(`${user} has made its manager's ${what} ${name}`, `${reason}; an apply starts the account anew`, fix),
    ),
  ]
}
