import { z } from 'zod'
import type { PreviousHash, TokenRecord, TokenStore } from '../../daemon/auth/key-record.ts'
import { SCOPES, type Scope } from '../../schemas/words/scopes.ts'
import type { Database } from './database.ts'
import { patiently } from './patiently.ts'

type Row = {
  readonly id: string
  readonly name: string
  readonly hash: string
  readonly scopes: string
  readonly created_at: number
  readonly expires_at: number | null
  readonly revoked_at: number | null
  readonly limits: string | null
}
type PreviousRow = { readonly hash: string; readonly key_id: string; readonly until: number }

/**
 * The column `limits` of a key that is limited in any way. Its scopes are in here and not in their own column, so that an
 * older Gate, which does not know the column or what is in it, lets it do nothing rather than everything.
 */
const limitsColumn = z.strictObject({
  scopes: z.array(z.enum(SCOPES)),
  models: z.array(z.string()).exactOptional(),
  categories: z.array(z.string()).exactOptional(),
  pinned: z.string().exactOptional(),
  names_users: z.literal(true).exactOptional(),
  owner: z.string().exactOptional(),
  team: z.string().exactOptional(),
  maker_user: z.string().exactOptional(),
  maker_key: z.string().exactOptional(),
  addresses: z.array(z.string()).exactOptional(),
  budgets: z.array(z.string()).exactOptional(),
  limits: z.array(z.string()).exactOptional(),
  node: z.string().exactOptional(),
  disabled_at: z.int().exactOptional(),
})
type Limits = z.output<typeof limitsColumn>

/**
 * Keys in the tables `token` and `previous_token`.
 * @throws GateError STORE_UNAVAILABLE; a lock is waited for, 1 s at most: everything else waits meanwhile
 */
export function openTokenStore(database: Database): TokenStore {
  const all = database.prepare<[], Row>('SELECT * FROM token ORDER BY created_at, id')
  const insert = database.prepare<[Row]>(
    `INSERT INTO token (id, name, hash, scopes, created_at, expires_at, revoked_at, limits)
     VALUES ($id, $name, $hash, $scopes, $created_at, $expires_at, $revoked_at, $limits)`,
  )
  const update = database.prepare<[Row]>(
    `UPDATE token SET name = $name, hash = $hash, scopes = $scopes, expires_at = $expires_at, limits = $limits
     WHERE id = $id AND revoked_at IS NULL`,
  )
  const revoke = database.prepare('UPDATE token SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL')
  const previous = database.prepare<[], PreviousRow>('SELECT * FROM previous_token ORDER BY until')
  const forget = database.prepare('DELETE FROM previous_token WHERE key_id = ?')
  const keep = database.prepare('INSERT OR REPLACE INTO previous_token (hash, key_id, until) VALUES (?, ?, ?)')
  const rotateAll = database.transaction(
    (keyId: string, hashes: readonly PreviousHash[], record: TokenRecord | null) => {
      forget.run(keyId)
      for (const { hash, until } of hashes) keep.run(hash, keyId, until)
      if (record !== null) update.run(rowOf(record))
    },
  )
  const revokeAll = database.transaction((id: string, at: number) => {
    forget.run(id)
    return revoke.run(at, id).changes > 0
  })

  return {
    all: () => all.all().map(recordOf),
    insert: (record) => void patiently(database, () => insert.run(rowOf(record))),
    update: (record) => void patiently(database, () => update.run(rowOf(record))),
    revoke: (id, at) => patiently(database, () => revokeAll.immediate(id, at)),
    previous: () => previous.all().map(({ hash, key_id: keyId, until }) => ({ hash, keyId, until })),
    rotate: (keyId, hashes, record) => patiently(database, () => rotateAll.immediate(keyId, hashes, record)),
  }
}

function rowOf(record: TokenRecord): Row {
  const { id, name, hash, scopes, createdAt, expiresAt, revokedAt, ...limited } = record
  const limits = limitsOf(scopes, limited)
  const isLimited = Object.keys(limits).length > 1
  return {
    id,
    name,
    hash,
    scopes: isLimited ? '' : scopes.join(' '),
    created_at: createdAt,
    expires_at: expiresAt,
    revoked_at: revokedAt,
    limits: isLimited ? JSON.stringify(limits) : null,
  }
}

function limitsOf(
  scopes: readonly Scope[],
  limited: Omit<TokenRecord, 'id' | 'name' | 'hash' | 'scopes' | 'createdAt' | 'expiresAt' | 'revokedAt'>,
): Limits {
  const { allowed, namesUsers, ownerId, teamId, maker, addresses, budgets, limits, node, disabledAt, ...rest } = limited
  rest satisfies Record<string, never>
  return {
    scopes: [...scopes],
    ...(allowed !== null && { ...allowed, models: [...allowed.models], categories: [...allowed.categories] }),
    ...(namesUsers && { names_users: true }),
    ...(ownerId !== null && { owner: ownerId }),
    ...(teamId !== null && { team: teamId }),
    ...(maker?.kind === 'user' && { maker_user: maker.id }),
    ...(maker?.kind === 'key' && { maker_key: maker.id }),
    ...(addresses.length > 0 && { addresses: [...addresses] }),
    ...(budgets.length > 0 && { budgets: [...budgets] }),
    ...(limits.length > 0 && { limits: [...limits] }),
    ...(node !== null && { node }),
    ...(disabledAt !== null && { disabled_at: disabledAt }),
  }
}

function recordOf(row: Row): TokenRecord {
  return {
    id: row.id,
    name: row.name,
    hash: row.hash,
    ...limitedBy(row),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  }
}

type Limited = Omit<TokenRecord, 'id' | 'name' | 'hash' | 'createdAt' | 'expiresAt' | 'revokedAt'>

const UNLIMITED: Omit<Limited, 'scopes'> = {
  allowed: null,
  namesUsers: false,
  ownerId: null,
  teamId: null,
  maker: null,
  addresses: [],
  budgets: [],
  limits: [],
  node: null,
  disabledAt: null,
}

/** Limits that cannot be read, such as those of a newer Gate, leave no right. */
function limitedBy({ scopes, limits }: Row): Limited {
  const known = new Set<string>(SCOPES)
  if (limits === null) {
    return { ...UNLIMITED, scopes: scopes.split(' ').filter((scope): scope is Scope => known.has(scope)) }
  }
  const { data } = limitsColumn.safeParse(jsonIn(limits))
  if (data === undefined) return { ...UNLIMITED, scopes: [], allowed: { models: [], categories: [] } }
  const { models, categories, pinned, maker_user: user, maker_key: key } = data
  const isLimited = models !== undefined || categories !== undefined || pinned !== undefined
  const allowed = { models: models ?? [], categories: categories ?? [], ...(pinned !== undefined && { pinned }) }
  return {
    scopes: data.scopes,
    allowed: isLimited ? allowed : null,
    namesUsers: data.names_users ?? false,
    ownerId: data.owner ?? null,
    teamId: data.team ?? null,
    maker: user !== undefined ? { kind: 'user', id: user } : key !== undefined ? { kind: 'key', id: key } : null,
    addresses: data.addresses ?? [],
    budgets: data.budgets ?? [],
    limits: data.limits ?? [],
    node: data.node ?? null,
    disabledAt: data.disabled_at ?? null,
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
