import type { TeamInfo, UserInfo } from '../../schemas/api/users.ts'
import type { Access } from '../auth/access.ts'
import type { TeamRecord } from '../auth/teams.ts'
import type { UserRecord } from '../auth/users.ts'
import { timeText } from './key-info.ts'

/** A person as the API shows them. */
export function userInfoOf(
  { teams, tokens, sessions }: Pick<Access, 'teams' | 'tokens' | 'sessions'>,
  user: UserRecord,
): UserInfo {
  const { id, name, email, role, source, passwordHash, createdAt, signedInAt, disabledAt } = user
  return {
    id,
    name,
    ...(email !== null && { email }),
    role,
    source,
    has_password: passwordHash !== null,
    teams: teams.of(id).map((teamId) => ({ id: teamId, name: teams.get(teamId)?.name ?? '' })),
    keys: tokens.of(id).length,
    sessions: sessions.of(id).length,
    created_at: timeText(createdAt),
    ...(signedInAt !== null && { signed_in_at: timeText(signedInAt) }),
    ...(disabledAt !== null && { disabled_at: timeText(disabledAt) }),
  }
}

/** A team as the API shows it. */
export function teamInfoOf({ users }: Pick<Access, 'users'>, { id, name, members, createdAt }: TeamRecord): TeamInfo {
  return {
    id,
    name,
    members: members.map((userId) => ({ id: userId, name: users.get(userId)?.name ?? '' })),
    created_at: timeText(createdAt),
  }
}
