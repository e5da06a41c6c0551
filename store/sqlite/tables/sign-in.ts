/** What people sign in with elsewhere, and the devices that they let in. Times are Unix milliseconds. */
export const SIGN_IN_TABLES = [
  `CREATE TABLE IF NOT EXISTS idp (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     issuer TEXT NOT NULL,
     client_id TEXT NOT NULL,
     sealed_secret BLOB,
     scopes TEXT NOT NULL,
     roles TEXT NOT NULL
   ) STRICT`,
  `CREATE TABLE IF NOT EXISTS oidc_auth_state (
     hash TEXT PRIMARY KEY,
     expires_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS refresh_token (
     id TEXT PRIMARY KEY,
     user_id TEXT NOT NULL,
     client_id TEXT,
     label TEXT NOT NULL,
     scopes TEXT,
     generation INTEGER NOT NULL,
     created_at INTEGER NOT NULL,
     used_at INTEGER NOT NULL
   ) STRICT`,
  `CREATE TABLE IF NOT EXISTS kept_secret (
     name TEXT PRIMARY KEY,
     sealed BLOB NOT NULL
   ) STRICT`,
  // what happens once in the life of a gateway
  `CREATE TABLE IF NOT EXISTS mark (
     name TEXT PRIMARY KEY
   ) STRICT, WITHOUT ROWID`,
] as const
