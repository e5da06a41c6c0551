/** Passkeys of people; public keys are COSE as base64url. Times are Unix milliseconds. */
export const PASSKEY_TABLE = `CREATE TABLE IF NOT EXISTS passkey (
   id TEXT PRIMARY KEY,
   user_id TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
   name TEXT NOT NULL,
   public_key TEXT NOT NULL,
   counter INTEGER NOT NULL,
   created_at INTEGER NOT NULL,
   used_at INTEGER
 ) STRICT`
