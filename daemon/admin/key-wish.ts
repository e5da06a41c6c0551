import type { KeyChangeRequest, KeyRequest } from '../../schemas/api/keys.ts'
import type { Allowance } from '../../schemas/words/allowance.ts'
import type { Access } from '../auth/access.ts'
import type { KeyChange, KeyWish, Maker, TokenRecord } from '../auth/key-record.ts'
import type { Principal } from '../auth/principal.ts'
import { lifeMs } from './duration.ts'
import { AdminError } from './error.ts'

/** Who made a key that a principal makes. */
function makerOf({ via, keyId, userId }: Principal): Maker {
  if (via === 'key') return { kind: 'key', id: keyId }
  return userId === null ? null : { kind: 'user', id: userId }
}

/**
 * A key as it was asked for. @param now Unix milliseconds
 * @throws AdminError BAD_REQUEST, GateError USER_NOT_FOUND, TEAM_NOT_FOUND
 */
export function wishOf(
  request: KeyRequest,
  principal: Principal,
  { users, teams }: Pick<Access, 'users' | 'teams'>,
  now: number,
): KeyWish {
  const { name, scopes, expires_in: expiresIn, owner, service, team, names_users: namesUsers = false } = request
  if (owner !== undefined && service) throw new AdminError('BAD_REQUEST', 'owner: a service key has none')
  const ownerId = service ? null : owner === undefined ? principal.userId : users.meant(owner).id
  if (team !== undefined && ownerId !== null)
    throw new AdminError('BAD_REQUEST', 'team: the key of a person counts for the teams of the person', {
      hint: 'leave it out, or make a service key',
    })
  return {
    name,
    scopes: [...new Set(scopes)],
    expiresAt: expiresIn === undefined ? null : now + lifeMs('expires_in', expiresIn),
    allowed: allowanceOf(request),
    namesUsers,
    ownerId,
    teamId: team === undefined ? null : teams.meant(team).id,
    maker: makerOf(principal),
    addresses: request.addresses ?? [],
    budgets: request.budgets ?? [],
    limits: request.limits ?? [],
    node: request.node ?? null,
  }
}

/** What changes of a key. @param now Unix milliseconds @throws AdminError BAD_REQUEST */
export function changeOf(request: KeyChangeRequest, { allowed }: TokenRecord, now: number): KeyChange {
  const { name, scopes, names_users: namesUsers, addresses, budgets, limits, expires_in: expiresIn, disabled } = request
  const { models, categories, pinned } = request
  const isOtherAllowance = models !== undefined || categories !== undefined || pinned !== undefined
  return {
    ...(name !== undefined && { name }),
    ...(scopes !== undefined && { scopes: [...new Set(scopes)] }),
    ...(namesUsers !== undefined && { namesUsers }),
    ...(addresses !== undefined && { addresses: addresses ?? [] }),
    ...(budgets !== undefined && { budgets: budgets ?? [] }),
    ...(limits !== undefined && { limits: limits ?? [] }),
    ...(expiresIn !== undefined && {
      expiresAt: expiresIn === null ? null : now + lifeMs('expires_in', expiresIn),
    }),
    ...(disabled !== undefined && { disabled }),
    ...(isOtherAllowance && { allowed: changedAllowance({ models, categories, pinned }, allowed) }),
  }
}

type Wanted = Partial<Record<'models' | 'categories', readonly string[] | null | undefined>> & {
  readonly pinned?: string | null | undefined
}

function changedAllowance({ models, categories, pinned }: Wanted, before: Allowance | null): Allowance | null {
  if (typeof pinned === 'string') return allowanceOf({ pinned, ...present({ models, categories }) })
  const wasPinned = before?.pinned !== undefined
  const own = wasPinned ? [] : (before?.models ?? [])
  const next = {
    models: models === undefined ? own : (models ?? []),
    categories: categories === undefined ? (before?.categories ?? []) : (categories ?? []),
  }
  return next.models.length + next.categories.length === 0 ? null : next
}

function present<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined && value !== null)
  return Object.fromEntries(entries) as { [K in keyof T]?: NonNullable<T[K]> }
}

/** @throws AdminError BAD_REQUEST */
export function allowanceOf({ models, categories, pinned }: Partial<Allowance>): Allowance | null {
  if (pinned === undefined) {
    const isLimited = models !== undefined || categories !== undefined
    return isLimited ? { models: models ?? [], categories: categories ?? [] } : null
  }
  if (models === undefined && categories === undefined) return { models: [pinned], categories: [], pinned }
  throw new AdminError('BAD_REQUEST', 'pinned: a key that has one model for everything may use no others', {
    hint: 'leave models and categories out',
  })
}
