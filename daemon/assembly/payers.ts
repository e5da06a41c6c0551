import type { Payer } from '../admit/payer.ts'
import type { Access } from '../auth/access.ts'

const OF_USER = 'user:'

/** Who the rows of a key are paid by, as it is now; keys that were revoked keep their name. */
export function payersOf({ tokens, users, teams }: Access): (keyId: string) => Payer {
  const records = new Map(tokens.list().map((record) => [record.id, record]))
  return (keyId) => {
    const record = records.get(keyId)
    if (record !== undefined) {
      const { name, ownerId: userId, teamId } = record
      const rights = tokens.rightsOf(keyId)
      const budgets = typeof rights === 'object' ? rights.budgets : record.budgets
      const own = teamId === null ? [] : [teamId]
      return { keyId, name, userId, teams: userId === null ? own : teams.of(userId), budgets, limits: [] }
    }
    const unowned = { keyId, name: keyId, userId: null, teams: [], budgets: [], limits: [] }
    if (!keyId.startsWith(OF_USER)) return keyId === 'system' ? { ...unowned, name: 'auth.token' } : unowned
    const userId = keyId.slice(OF_USER.length)
    return { ...unowned, name: users.get(userId)?.name ?? keyId, userId, teams: teams.of(userId) }
  }
}
