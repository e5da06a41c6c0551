import type { PasskeyStore } from '../../daemon/auth/passkey/passkeys.ts'
import type { Database } from './database.ts'
import { patiently } from './patiently.ts'

type Row = {
  readonly id: string
  readonly user_id: string
  readonly name: string
  readonly public_key: string
  readonly counter: number
  readonly created_at: number
  readonly used_at: number | null
}

/** Passkeys in the table `passkey`. @throws GateError STORE_UNAVAILABLE */
export function openPasskeyStore(database: Database): PasskeyStore {
  const all = database.prepare<[], Row>('SELECT * FROM passkey ORDER BY created_at, id')
  const put = database.prepare(
    `INSERT INTO passkey (id, user_id, name, public_key, counter, created_at, used_at) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET counter = excluded.counter, used_at = excluded.used_at`,
  )
  const remove = database.prepare('DELETE FROM passkey WHERE id = ?')

  return {
    all: () =>
      all.all().map(({ id, user_id, name, public_key, counter, created_at, used_at }) => ({
        id,
        userId: user_id,
        name,
        publicKey: Buffer.from(public_key, 'base64url'),
        counter,
        createdAt: created_at,
        usedAt: used_at,
      })),
    put: ({ id, userId, name, publicKey, counter, createdAt, usedAt }) => {
      patiently(database, () => put.run(id, userId, name, publicKey.toString('base64url'), counter, createdAt, usedAt))
    },
    remove: (id) => {
      patiently(database, () => remove.run(id))
    },
  }
}
