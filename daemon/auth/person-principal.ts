import type { Proof } from '../../schemas/words/proofs.ts'
import { SCOPES_OF_ROLE } from '../../schemas/words/roles.ts'
import type { Principal } from './principal.ts'
import type { UserRecord } from './users.ts'

/** A person as a principal; null for one who was disabled. @param credentialId what a revocation ends */
export function personPrincipal(
  { id, name, role, disabledAt }: UserRecord,
  teams: readonly string[],
  via: Proof,
  credentialId: string,
): Principal | null {
  if (disabledAt !== null) return null
  return {
    keyId: `user:${id}`,
    name,
    scopes: SCOPES_OF_ROLE[role],
    allowed: null,
    namesUsers: false,
    userId: id,
    teams,
    via,
    credentialId,
    addresses: null,
    budgets: [],
    limits: [],
    node: null,
  }
}
