import { accountConflicts } from '../accounts.ts'
import type { HostProblem } from '../problem.ts'
import { type Desired, sha256 } from './desired.ts'
import { hashesOf, linkedPlaces } from './files.ts'
import { foreignAccounts } from './foreign-accounts.ts'
import type { Observed } from './observe.ts'

/** What is in the way of a plan; a host with any of it is left as it is. */
export function planProblems(desired: Desired, observed: Observed): HostProblem[] {
  const { generation } = desired
  const linked = linkedPlaces(generation)
  const ownHashes = hashesOf(observed)
  const foreign = generation.files.flatMap(({ install, sha256: hash }): string[] => {
    if (install === undefined || linked(install)) return []
    const seen = observed.files.get(install)
    if (seen === undefined || observed.conffiles.has(install) || (seen.kind === 'file' && sha256(seen.text) === hash))
      return []
    return ownHashes.has(install) && seen.kind === 'file' ? [] : [install]
  })
  const links = generation.links.filter(
    ({ path }) => observed.links.has(path) && observed.links.get(path) === undefined,
  )
  return [
    ...accountConflicts(generation.accounts, observed.accounts),
    ...foreignAccounts(desired, observed),
    ...[...foreign, ...links.map(({ path }) => path)].map(
      (path): HostProblem => ({
        code: 'FOREIGN_FILE',
        message: `${path} is in the way and was not made by gatectl`,
        hint: 'move it away; its content belongs in the spec',
      }),
    ),
  ]
}
