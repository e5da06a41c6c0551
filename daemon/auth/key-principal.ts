import type { TokenRecord } from './key-record.ts'
import type { KeyRights } from './key-rights.ts'
import { type AddressRanges, mayDo, type Principal } from './principal.ts'

/**
 * A key as a principal.
 * @param rights after all that those have who made it
 * @param teams of its owner, or of the key itself
 */
export function keyPrincipal(
  { id, name, namesUsers, ownerId }: TokenRecord,
  { scopes, allowed, addresses, budgets, limits, node }: KeyRights,
  teams: readonly string[],
  rangesOf: (entries: readonly string[]) => AddressRanges,
): Principal {
  const lists = addresses.map(rangesOf)
  return {
    keyId: id,
    name,
    scopes: new Set(scopes),
    allowed,
    namesUsers,
    userId: ownerId,
    teams,
    via: 'key',
    credentialId: id,
    addresses: lists.length === 0 ? null : { has: (address) => lists.every((list) => list.has(address)) },
    budgets,
    limits,
    node,
  }
}

/** Whether a key may do less than before. */
export function isLess(rights: KeyRights, before: KeyRights): boolean {
  const scopes = new Set(rights.scopes)
  const differs = (a: unknown, b: unknown) => JSON.stringify(a) !== JSON.stringify(b)
  return (
    before.scopes.some((scope) => !mayDo(scopes, scope)) ||
    (rights.allowed !== null && differs(rights.allowed, before.allowed)) ||
    (rights.addresses.length > 0 && differs(rights.addresses, before.addresses)) ||
    (rights.node !== null && rights.node !== before.node)
  )
}
