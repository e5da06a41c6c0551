import type { TeamStore } from '../../daemon/auth/teams.ts'
import type { Database } from './database.ts'
import { patiently } from './patiently.ts'

type Row = { readonly id: string; readonly name: string; readonly created_at: number }
type MemberRow = { readonly team_id: string; readonly user_id: string }

/** Teams in the tables `team` and `team_member`. @throws GateError STORE_UNAVAILABLE */
export function openTeamStore(database: Database): TeamStore {
  const all = database.prepare<[], Row>('SELECT * FROM team ORDER BY created_at, id')
  const members = database.prepare<[], MemberRow>('SELECT * FROM team_member ORDER BY team_id, user_id')
  const insert = database.prepare('INSERT INTO team (id, name, created_at) VALUES (?, ?, ?)')
  const rename = database.prepare('UPDATE team SET name = ? WHERE id = ?')
  const remove = database.prepare('DELETE FROM team WHERE id = ?')
  const addMember = database.prepare('INSERT OR IGNORE INTO team_member (team_id, user_id) VALUES (?, ?)')
  const removeMember = database.prepare('DELETE FROM team_member WHERE team_id = ? AND user_id = ?')
  return {
    all: () => {
      const byTeam = Map.groupBy(members.all(), ({ team_id: id }) => id)
      return all.all().map(({ id, name, created_at: createdAt }) => ({
        id,
        name,
        createdAt,
        members: (byTeam.get(id) ?? []).map(({ user_id: userId }) => userId),
      }))
    },
    insert: ({ id, name, createdAt }) => void patiently(database, () => insert.run(id, name, createdAt)),
    rename: (id, name) => void patiently(database, () => rename.run(name, id)),
    remove: (id) => void patiently(database, () => remove.run(id)),
    addMember: (id, userId) => void patiently(database, () => addMember.run(id, userId)),
    removeMember: (id, userId) => void patiently(database, () => removeMember.run(id, userId)),
  }
}
