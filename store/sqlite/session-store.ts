import type { SessionRecord, SessionStore } from '../../daemon/auth/sessions.ts'
import type { Database } from './database.ts'
import { patiently } from './patiently.ts'

type Row = Omit<SessionRecord, 'userId' | 'createdAt' | 'expiresAt' | 'seenAt'> & {
  readonly user_id: string
  readonly created_at: number
  readonly expires_at: number
  readonly seen_at: number
}

/** Sessions in the table `session`. @throws GateError STORE_UNAVAILABLE */
export function openSessionStore(database: Database): SessionStore {
  const all = database.prepare<[], Row>('SELECT * FROM session ORDER BY created_at, id')
  const insert = database.prepare<[Row]>(
    `INSERT INTO session (id, hash, user_id, via, idp, address, agent, created_at, expires_at, seen_at)
     VALUES ($id, $hash, $user_id, $via, $idp, $address, $agent, $created_at, $expires_at, $seen_at)`,
  )
  const remove = database.prepare('DELETE FROM session WHERE id = ?')
  const renew = database.prepare('UPDATE session SET hash = ?, expires_at = ? WHERE id = ?')
  const seen = database.prepare('UPDATE session SET seen_at = ? WHERE id = ?')
  const removeAll = database.transaction((ids: readonly string[]) => {
    for (const id of ids) remove.run(id)
  })
  const noteAll = database.transaction((sessions: Parameters<SessionStore['seen']>[0]) => {
    for (const { id, seenAt } of sessions) seen.run(seenAt, id)
  })
  return {
    all: () =>
      all.all().map(({ user_id: userId, created_at: createdAt, expires_at: expiresAt, seen_at: seenAt, ...row }) => ({
        ...row,
        userId,
        createdAt,
        expiresAt,
        seenAt,
      })),
    insert: ({ userId, createdAt, expiresAt, seenAt, ...session }) => {
      const row = { ...session, user_id: userId, created_at: createdAt, expires_at: expiresAt, seen_at: seenAt }
      patiently(database, () => insert.run(row))
    },
    remove: (ids) => patiently(database, () => removeAll.immediate(ids)),
    renew: (id, hash, expiresAt) => void patiently(database, () => renew.run(hash, expiresAt, id)),
    seen: (sessions) => noteAll.immediate(sessions), // nobody waits for it
  }
}
