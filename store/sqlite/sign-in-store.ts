import type { SignIn, SignInStore } from '../../daemon/auth/device/sign-in.ts'
import type { Mark } from '../../daemon/auth/oidc/first-admin.ts'
import type { UsedStates } from '../../daemon/auth/oidc/pending.ts'
import type { Note } from '../../daemon/auth/withdrawn.ts'
import { SCOPES } from '../../schemas/words/scopes.ts'
import type { Database } from './database.ts'
import { patiently } from './patiently.ts'

type Row = {
  readonly id: string
  readonly user_id: string
  readonly client_id: string | null
  readonly label: string
  readonly scopes: string | null
  readonly generation: number
  readonly created_at: number
  readonly used_at: number
}

/** Sign-ins of devices in the table `refresh_token`. @throws GateError STORE_UNAVAILABLE */
export function openSignInStore(database: Database): SignInStore {
  const all = database.prepare<[], Row>('SELECT * FROM refresh_token ORDER BY created_at, id')
  const put = database.prepare(
    `INSERT INTO refresh_token (id, user_id, client_id, label, scopes, generation, created_at, used_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET generation = excluded.generation, used_at = excluded.used_at`,
  )
  const remove = database.prepare('DELETE FROM refresh_token WHERE id = ?')

  return {
    all: () => all.all().map(signInOf),
    put: ({ id, userId, clientId, label, scopes, generation, createdAt, usedAt }) => {
      const asked = scopes === null ? null : scopes.join(' ')
      patiently(database, () => put.run(id, userId, clientId, label, asked, generation, createdAt, usedAt))
    },
    remove: (id) => {
      patiently(database, () => remove.run(id))
    },
  }
}

/** States of sign-ins that came back, in the table `oidc_auth_state`. @throws GateError STORE_UNAVAILABLE */
export function openUsedStates(database: Database): UsedStates {
  const take = database.prepare('INSERT INTO oidc_auth_state (hash, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING')
  const trim = database.prepare('DELETE FROM oidc_auth_state WHERE expires_at <= ?')
  const count = database.prepare<[], { readonly count: number }>('SELECT count(*) AS count FROM oidc_auth_state')

  return {
    take: (hash, expiresAt) => patiently(database, () => take.run(hash, expiresAt)).changes > 0,
    trim: (now) =>
      patiently(database, () => {
        trim.run(now)
        return count.get()?.count ?? 0
      }),
  }
}

/** That something has happened which happens once, in the table `mark`. @throws GateError STORE_UNAVAILABLE */
export function openMark(database: Database, name: string): Mark {
  const find = database.prepare<[string], { readonly name: string }>('SELECT name FROM mark WHERE name = ?')
  const put = database.prepare('INSERT INTO mark (name) VALUES (?) ON CONFLICT DO NOTHING')

  return {
    isSet: () => find.get(name) !== undefined,
    set: () => {
      patiently(database, () => put.run(name))
    },
  }
}

/** A short text that is kept under a name, in the table `mark` as `NAME:TEXT`. @throws GateError STORE_UNAVAILABLE */
export function openNote(database: Database, name: string): Note {
  const head = `${name}:`
  const find = database.prepare<[number, string], { readonly name: string }>(
    'SELECT name FROM mark WHERE substr(name, 1, ?) = ?',
  )
  const remove = database.prepare('DELETE FROM mark WHERE substr(name, 1, ?) = ?')
  const put = database.prepare('INSERT INTO mark (name) VALUES (?) ON CONFLICT DO NOTHING')
  const write = database.transaction((text: string) => {
    remove.run(head.length, head)
    put.run(head + text)
  })

  return {
    read: () => find.get(head.length, head)?.name.slice(head.length) ?? null,
    write: (text) => patiently(database, () => write.immediate(text)),
  }
}

function signInOf(row: Row): SignIn {
  const asked = row.scopes === null ? null : new Set(row.scopes.split(' '))
  return {
    id: row.id,
    userId: row.user_id,
    clientId: row.client_id,
    label: row.label,
    scopes: asked === null ? null : SCOPES.filter((scope) => asked.has(scope)),
    generation: row.generation,
    createdAt: row.created_at,
    usedAt: row.used_at,
  }
}
