import type { UserRecord, UserStore } from '../../daemon/auth/users.ts'
import { ROLES } from '../../schemas/words/roles.ts'
import type { Database } from './database.ts'
import { patiently } from './patiently.ts'

type Row = {
  readonly id: string
  readonly name: string
  readonly email: string | null
  readonly role: string
  readonly disabled_at: number | null
  readonly password_hash: string | null
  readonly source: string
  readonly subject: string | null
  readonly created_at: number
  readonly signed_in_at: number | null
}

/** People in the table `user`. @throws GateError STORE_UNAVAILABLE */
export function openUserStore(database: Database): UserStore {
  const all = database.prepare<[], Row>('SELECT * FROM user ORDER BY created_at, id')
  const insert = database.prepare<[Row]>(
    `INSERT INTO user (id, name, email, role, disabled_at, password_hash, source, subject, created_at, signed_in_at)
     VALUES ($id, $name, $email, $role, $disabled_at, $password_hash, $source, $subject, $created_at, $signed_in_at)`,
  )
  const update = database.prepare<[Row]>(
    `UPDATE user SET name = $name, email = $email, role = $role, disabled_at = $disabled_at,
       password_hash = $password_hash, signed_in_at = $signed_in_at WHERE id = $id`,
  )
  const remove = database.prepare('DELETE FROM user WHERE id = ?')
  return {
    all: () => all.all().map(recordOf),
    insert: (user) => void patiently(database, () => insert.run(rowOf(user))),
    update: (user) => void patiently(database, () => update.run(rowOf(user))),
    remove: (id) => void patiently(database, () => remove.run(id)),
  }
}

function rowOf(user: UserRecord): Row {
  const { id, name, email, role, disabledAt, passwordHash, source, subject, createdAt, signedInAt, ...rest } = user
  rest satisfies Record<string, never>
  return {
    id,
    name,
    email,
    role,
    disabled_at: disabledAt,
    password_hash: passwordHash,
    source,
    subject,
    created_at: createdAt,
    signed_in_at: signedInAt,
  }
}

/** A role that is not known, such as one of a newer Gate, is the least one. */
function recordOf(row: Row): UserRecord {
  return {
    id: row.id,
    name: row.name,
    email: row.email,
    role: ROLES.find((role) => role === row.role) ?? 'viewer',
    disabledAt: row.disabled_at,
    passwordHash: row.password_hash,
    source: row.source,
    subject: row.subject,
    createdAt: row.created_at,
    signedInAt: row.signed_in_at,
  }
}
