import { z } from 'zod'
import type { TokenRecord, TokenStore } from '../../daemon/auth/tokens.ts'
import { GateError } from '../../schemas/words/errors.ts'
import { SCOPES, type Scope } from '../../schemas/words/scopes.ts'
import { codeOf } from '../../system/error-code.ts'
import type { Database } from './database.ts'
import { remedyFor } from './remedy.ts'

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

/**
 * The column `limits` of a key that may not use everything, or that names users. Its scopes are in here and not in
 * their own column, so that an older Gate, which does not know the column, lets it do nothing rather than everything.
 */
const limitsColumn = z.strictObject({
  scopes: z.array(z.enum(SCOPES)),
  models: z.array(z.string()).exactOptional(),
  categories: z.array(z.string()).exactOptional(),
  pinned: z.string().exactOptional(),
  names_users: z.literal(true).exactOptional(),
})

/**
 * Keys in the table `token`.
 * @throws GateError STORE_UNAVAILABLE; a lock is waited for, 1 s at most: everything else waits meanwhile
 */
export function openTokenStore(database: Database): TokenStore {
  const all = database.prepare<[], Row>('SELECT * FROM token ORDER BY created_at, id')
  const insert = database.prepare(
    'INSERT INTO token (id, name, hash, scopes, created_at, expires_at, limits) VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
  const revoke = database.prepare('UPDATE token SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL')

  return {
    all: () => all.all().map(recordOf),
    insert: ({ id, name, hash, scopes, createdAt, expiresAt, allowed, namesUsers }) => {
      const own = { scopes, ...allowed, ...(namesUsers && { names_users: true }) }
      const limits = allowed === null && !namesUsers ? null : JSON.stringify(own)
      const open = limits === null ? scopes.join(' ') : ''
      patiently(database, () => insert.run(id, name, hash, open, createdAt, expiresAt, limits))
    },
    revoke: (id, at) => patiently(database, () => revoke.run(at, id)).changes > 0,
  }
}

/** Writes of keys are rare and asked for by a person: they wait for a lock, unlike usage rows. */
function patiently<T>(database: Database, write: () => T): T {
  database.pragma('busy_timeout = 1000')
  try {
    return write()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const remedy = remedyFor(database.name, codeOf(error))
    throw new GateError('STORE_UNAVAILABLE', `${database.name} cannot be written: ${reason}; ${remedy}`, {
      cause: error,
    })
  } finally {
    database.pragma('busy_timeout = 0')
  }
}

function recordOf(row: Row): TokenRecord {
  return {
    id: row.id,
    name: row.name,
    hash: row.hash,
    ...rightsIn(row),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  }
}

/** Limits that cannot be read, such as those of a newer Gate, leave no right. */
function rightsIn({ scopes, limits }: Row): Pick<TokenRecord, 'scopes' | 'allowed' | 'namesUsers'> {
  const known = new Set<string>(SCOPES)
  if (limits === null) {
    const own = scopes.split(' ').filter((scope): scope is Scope => known.has(scope))
    return { scopes: own, allowed: null, namesUsers: false }
  }
  const { data } = limitsColumn.safeParse(jsonIn(limits))
  if (data === undefined) return { scopes: [], allowed: { models: [], categories: [] }, namesUsers: false }
  const { models, categories, pinned, names_users: namesUsers = false } = data
  const isLimited = models !== undefined || categories !== undefined || pinned !== undefined
  const allowed = { models: models ?? [], categories: categories ?? [], ...(pinned !== undefined && { pinned }) }
  return { scopes: data.scopes, allowed: isLimited ? allowed : null, namesUsers }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
