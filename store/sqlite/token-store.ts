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
}

/**
 * Keys in the table `token`.
 * @throws GateError STORE_UNAVAILABLE; a lock is waited for, 1 s at most: everything else waits meanwhile
 */
export function openTokenStore(database: Database): TokenStore {
  const all = database.prepare<[], Row>('SELECT * FROM token ORDER BY created_at, id')
  const insert = database.prepare(
    'INSERT INTO token (id, name, hash, scopes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const revoke = database.prepare('UPDATE token SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL')

  return {
    all: () => all.all().map(recordOf),
    insert: ({ id, name, hash, scopes, createdAt, expiresAt }) =>
      patiently(database, () => insert.run(id, name, hash, scopes.join(' '), createdAt, expiresAt)),
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
  const known = new Set<string>(SCOPES)
  return {
    id: row.id,
    name: row.name,
    hash: row.hash,
    scopes: row.scopes.split(' ').filter((scope): scope is Scope => known.has(scope)),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  }
}
