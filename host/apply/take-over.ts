import { readAccounts } from '../accounts.ts'
import type { Host } from '../host.ts'
import type { Desired } from '../plan/desired.ts'
import { foreignModels, ownershipProblems, rootsModels, statePath, tmpfilesText } from '../plan/ownership.ts'
import { HostError } from '../problem.ts'
import { must } from './unit-actions.ts'

/** Anything that a program may do through an extended ACL is taken back: of the mode alone, nothing says that. */
const NO_ACL = 'u::rwx,g::r-x,o::---'

/**
 * Makes the directories of state what a generation wants them to be, and root the owner of the models. Top down: an
 * account whose directory became root's changes nothing in it any more, so no path leads elsewhere when it is used.
 * @throws HostError UNSAFE_MODELS
 */
export async function takeOver(host: Host, desired: Desired): Promise<void> {
  const models = rootsModels(desired)
  const acl = models === undefined ? '' : `a ${models.path} - - - - ${NO_ACL}\n`
  const inState = `--prefix=${statePath(desired.generation.prefix)}`
  const refuse = () => {
    const [first, ...more] = ownershipProblems(host, desired, readAccounts(host))
    if (first !== undefined) throw new HostError(first, ...more)
  }
  refuse()
  await must(host, ['systemd-tmpfiles', '--create', inState, '-'], `${tmpfilesText(desired)}${acl}`)
  if (models === undefined) return
  // again: until then the gateway could still put other things there
  refuse()
  const accounts = readAccounts(host)
  const gid = accounts.groups.get(models.group)?.gid
  if (gid === undefined) throw new Error(`no group ${models.group}`)
  for (const { path } of foreignModels(host, desired, accounts, models.path)) host.takeOwnership(path, gid)
}
