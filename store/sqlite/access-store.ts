import type { AccessStore } from '../../daemon/auth/access.ts'
import type { Database } from './database.ts'
import { openSessionStore } from './session-store.ts'
import { openTeamStore } from './team-store.ts'
import { openTokenStore } from './token-store.ts'
import { openUserStore } from './user-store.ts'

/** People, teams, keys and sessions in the database. @throws GateError STORE_UNAVAILABLE */
export function openAccessStore(database: Database): AccessStore {
  return {
    tokens: openTokenStore(database),
    users: openUserStore(database),
    teams: openTeamStore(database),
    sessions: openSessionStore(database),
  }
}

/** What is in such a store. */
export type AccessRecords = {
  readonly [Part in keyof AccessStore]: ReturnType<AccessStore[Part]['all']>
} & { readonly previous: ReturnType<AccessStore['tokens']['previous']> }

/** All that is in a store. */
export function recordsIn({ tokens, users, teams, sessions }: AccessStore): AccessRecords {
  return {
    tokens: tokens.all(),
    previous: tokens.previous(),
    users: users.all(),
    teams: teams.all(),
    sessions: sessions.all(),
  }
}
