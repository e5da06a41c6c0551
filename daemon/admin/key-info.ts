import type { KeyInfo } from '../../schemas/api/keys.ts'
import type { Access } from '../auth/access.ts'
import type { TokenRecord } from '../auth/key-record.ts'

type Known = Pick<Access, 'users' | 'teams' | 'tokens'>

/** A key as the API shows it. @param now Unix milliseconds */
export function keyInfoOf({ users, teams, tokens }: Known, key: TokenRecord, now: number): KeyInfo {
  const { id, name, scopes, allowed, ownerId, teamId, maker, addresses, budgets, limits, node } = key
  const rights = tokens.rightsOf(id)
  const left = typeof rights === 'object' ? rights.scopes : scopes
  const isLess = left.length !== scopes.length || left.some((scope) => !scopes.includes(scope))
  return {
    id,
    name,
    scopes: [...scopes],
    ...(isLess && { effective_scopes: [...left] }),
    state: stateOf(key, rights, now),
    ...(ownerId !== null && { owner: { id: ownerId, name: users.get(ownerId)?.name ?? '' } }),
    ...(teamId !== null && { team: { id: teamId, name: teams.get(teamId)?.name ?? '' } }),
    ...(maker !== null && {
      maker: { ...maker, name: (maker.kind === 'user' ? users : tokens).get(maker.id)?.name ?? '' },
    }),
    ...(allowed !== null && { models: [...allowed.models], categories: [...allowed.categories] }),
    ...(allowed?.pinned !== undefined && { pinned: allowed.pinned }),
    ...(key.namesUsers && { names_users: true }),
    ...(addresses.length > 0 && { addresses: [...addresses] }),
    ...(budgets.length > 0 && { budgets: [...budgets] }),
    ...(limits.length > 0 && { limits: [...limits] }),
    ...(node !== null && { node }),
    created_at: timeText(key.createdAt),
    ...(key.expiresAt !== null && { expires_at: timeText(key.expiresAt) }),
    ...(key.disabledAt !== null && { disabled_at: timeText(key.disabledAt) }),
    ...(key.revokedAt !== null && { revoked_at: timeText(key.revokedAt) }),
  }
}

/** @param ms Unix milliseconds @returns in the form of RFC 3339 */
export const timeText = (ms: number): string => new Date(ms).toISOString()

function stateOf(
  { revokedAt, expiresAt }: TokenRecord,
  rights: ReturnType<Access['tokens']['rightsOf']>,
  now: number,
): KeyInfo['state'] {
  if (revokedAt !== null) return 'revoked'
  if (rights === undefined) return 'removed'
  if (typeof rights === 'string') return rights
  const end = rights.expiresAt ?? expiresAt
  return end !== null && end <= now ? 'expired' : 'valid'
}
