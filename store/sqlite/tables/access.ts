/**
 * People, teams, and what they sign in with, by the names of the tables. Every statement may run again and again. Times are Unix milliseconds;
 * of tokens only the SHA-256 is stored.
 */
export const ACCESS_TABLES = {
  user: `CREATE TABLE IF NOT EXISTS user (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL UNIQUE COLLATE NOCASE,
     email TEXT,
     role TEXT NOT NULL,
     disabled_at INTEGER,
     password_hash TEXT,
     source TEXT NOT NULL,
     subject TEXT,
     created_at INTEGER NOT NULL,
     signed_in_at INTEGER,
     UNIQUE (source, subject)
   ) STRICT`,
  team: `CREATE TABLE IF NOT EXISTS team (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL UNIQUE COLLATE NOCASE,
     created_at INTEGER NOT NULL
   ) STRICT`,
  team_member: `CREATE TABLE IF NOT EXISTS team_member (
     team_id TEXT NOT NULL REFERENCES team (id) ON DELETE CASCADE,
     user_id TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
     PRIMARY KEY (team_id, user_id)
   ) STRICT, WITHOUT ROWID`,
  session: `CREATE TABLE IF NOT EXISTS session (
     id TEXT PRIMARY KEY,
     hash TEXT NOT NULL UNIQUE,
     user_id TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
     via TEXT NOT NULL,
     idp TEXT,
     address TEXT NOT NULL,
     agent TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     expires_at INTEGER NOT NULL,
     seen_at INTEGER NOT NULL
   ) STRICT`,
  previous_token: `CREATE TABLE IF NOT EXISTS previous_token (
     hash TEXT PRIMARY KEY,
     key_id TEXT NOT NULL,
     until INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID`,
} as const satisfies Record<string, string>
