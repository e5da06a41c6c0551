import type { Allowance } from '../../schemas/words/allowance.ts'
import { GateError } from '../../schemas/words/errors.ts'
import { SCOPES_OF_ROLE } from '../../schemas/words/roles.ts'
import { SCOPES, type Scope } from '../../schemas/words/scopes.ts'
import type { KeyWish, TokenRecord } from './key-record.ts'
import { mayDo, type Principal } from './principal.ts'
import type { UserRecord } from './users.ts'

/** What a key comes down to, after all that those had who made it. */
export type KeyRights = {
  readonly scopes: readonly Scope[]
  readonly allowed: Allowance | null
  /** It may come from an address that is in every one of these lists. */
  readonly addresses: readonly (readonly string[])[]
  readonly budgets: readonly string[]
  readonly limits: readonly string[]
  /** Unix milliseconds; null: never. */
  readonly expiresAt: number | null
  /** Id of the gateway that alone may use it; null: any client may. */
  readonly node: string | null
}

/** Why a key counts for nothing. */
export type NoRights = 'revoked' | 'disabled' | 'removed'

/** Who may have made or may own a key. */
export type Makers = {
  readonly user: (id: string) => UserRecord | undefined
  readonly key: (id: string) => TokenRecord | undefined
}

/** Keys that make keys that make keys: deeper than this no key counts. */
const DEEPEST = 8

/** What a key may do at this moment: never more than its owner and its maker may. */
export function rightsOf(key: TokenRecord, makers: Makers, depth = 0): KeyRights | NoRights {
  if (key.revokedAt !== null) return 'revoked'
  if (key.disabledAt !== null) return 'disabled'
  let scopes = key.scopes
  for (const id of [key.ownerId, key.maker?.kind === 'user' ? key.maker.id : null]) {
    if (id === null) continue
    const user = makers.user(id)
    if (user === undefined) return 'removed'
    if (user.disabledAt !== null) return 'disabled'
    scopes = within(scopes, SCOPES_OF_ROLE[user.role])
  }
  const own: KeyRights = {
    scopes,
    allowed: key.allowed,
    addresses: key.addresses.length === 0 ? [] : [key.addresses],
    budgets: key.budgets,
    limits: key.limits,
    expiresAt: key.expiresAt,
    node: key.node,
  }
  if (key.maker?.kind !== 'key') return own
  const maker = makers.key(key.maker.id)
  if (maker === undefined || depth >= DEEPEST) return 'removed'
  const above = rightsOf(maker, makers, depth + 1)
  return typeof above === 'string' ? above : both(own, above)
}

function both(own: KeyRights, above: KeyRights): KeyRights {
  return {
    scopes: within(own.scopes, new Set(above.scopes)),
    allowed: allowedByBoth(own.allowed, above.allowed),
    addresses: [...above.addresses, ...own.addresses],
    budgets: [...new Set([...above.budgets, ...own.budgets])],
    limits: [...new Set([...above.limits, ...own.limits])],
    expiresAt: earlier(own.expiresAt, above.expiresAt),
    node: above.node ?? own.node,
  }
}

/** `admin` of one who may do less is all that they may do. */
function within(scopes: readonly Scope[], most: ReadonlySet<Scope>): readonly Scope[] {
  if (most.has('admin')) return scopes
  const all = scopes.includes('admin') ? SCOPES : scopes
  return all.filter((scope) => mayDo(most, scope))
}

function earlier(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b
  return Math.min(a, b)
}

function allowedByBoth(own: Allowance | null, above: Allowance | null): Allowance | null {
  if (own === null || above === null) return own ?? above
  const models = [
    ...own.models.filter((model) => covers(above.models, model)),
    ...above.models.filter((model) => covers(own.models, model)),
  ]
  const pinned = above.pinned ?? own.pinned
  return {
    models: [...new Set(models)],
    categories: own.categories.filter((category) => above.categories.includes(category)),
    ...(pinned !== undefined && covers(models, pinned) && { pinned }),
  }
}

function covers(patterns: readonly string[], model: string): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? model.startsWith(pattern.slice(0, -1)) : pattern === model,
  )
}

/**
 * Refuses a key that may do more than its maker.
 * @param owner whose it will be; null: a service key @throws GateError BEYOND_MAKER
 */
export function refuseBeyond(wish: KeyWish, maker: Principal, owner: UserRecord | null): void {
  const beyond = (what: string) => {
    throw new GateError('BEYOND_MAKER', `${what}; a key cannot do more than its maker and its owner`)
  }
  const most = [maker.scopes, ...(owner === null ? [] : [SCOPES_OF_ROLE[owner.role]])]
  for (const scope of wish.scopes) {
    if (!most.every((scopes) => mayDo(scopes, scope))) beyond(`the scope ${scope} is more than they have`)
  }
  if (wish.namesUsers && !maker.scopes.has('admin')) beyond('only an admin may set names_users')
  if (maker.allowed === null || wish.allowed === null) return
  const { models, categories } = maker.allowed
  for (const model of wish.allowed.models) if (!covers(models, model)) beyond(`the model ${model} is not theirs`)
  for (const category of wish.allowed.categories)
    if (!categories.includes(category)) beyond(`the category ${category} is not theirs`)
}

/**
 * Refuses the text of a key that may do more than the one who asks for it.
 * @throws GateError BEYOND_MAKER
 */
export function refuseWider(
  { scopes, allowed }: Pick<KeyRights, 'scopes' | 'allowed'>,
  { scopes: most, allowed: mostAllowed }: Pick<Principal, 'scopes' | 'allowed'>,
): void {
  const isWithin =
    scopes.every((scope) => mayDo(most, scope)) &&
    (mostAllowed === null ||
      (allowed?.models.every((model) => covers(mostAllowed.models, model)) &&
        allowed.categories.every((category) => mostAllowed.categories.includes(category))))
  if (!isWithin) throw new GateError('BEYOND_MAKER', 'this key may do more than the credential that asks; sign in')
}

/**
 * Refuses a key without the scope admin, and a device that was let in with less than all that its person may do: what it
 * made, or ended, would outlive it.
 * @param person whose credential it is; null: of none @throws GateError MISSING_SCOPE
 */
export function requireWholePerson({ via, scopes, name }: Principal, person: UserRecord | null): void {
  if (via === 'key' && !scopes.has('admin'))
    throw new GateError(
      'MISSING_SCOPE',
      `the key "${name}" may not change other keys or sessions; sign in, or use one with the scope admin`,
    )
  if (via !== 'access-token' || person === null) return
  if ([...SCOPES_OF_ROLE[person.role]].every((scope) => mayDo(scopes, scope))) return
  throw new GateError(
    'MISSING_SCOPE',
    'this device was let in with only some of your scopes, so it may not change keys or sessions; sign in on a page',
  )
}
