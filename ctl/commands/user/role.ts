import { nearest } from '../../../schemas/words/nearest.ts'
import { ROLES, type Role } from '../../../schemas/words/roles.ts'
import { usageFailure } from '../../failure.ts'

/** @throws Failure USAGE that names the role that was probably meant */
export function readRole(word: string): Role {
  const role = ROLES.find((known) => known === word)
  if (role !== undefined) return role
  const near = nearest(word, ROLES)
  throw usageFailure(
    `unknown role "${word}"`,
    near === undefined ? `there are: ${ROLES.join(', ')}` : `did you mean ${near}?`,
  )
}
