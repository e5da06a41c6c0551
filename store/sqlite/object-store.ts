import Sqlite from 'better-sqlite3'

/** Which upstream keeps what, for which key. Times are Unix milliseconds. @throws Error when it fails */
export type ObjectStore = {
  readonly put: (keyId: string, id: string, upstream: string, at: number) => void
  /** @returns the upstream; null when the key has nothing of this id */
  readonly find: (keyId: string, id: string) => string | null
  /** Whether any key has something of this id. */
  readonly has: (id: string) => boolean
  readonly remove: (keyId: string, id: string) => void
  /** The upstreams that keep something for a key. */
  readonly upstreamsOf: (keyId: string) => readonly string[]
  readonly close: () => void
}

const SCHEMA = `CREATE TABLE IF NOT EXISTS object (
  key_id TEXT NOT NULL,
  id TEXT NOT NULL,
  upstream TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (key_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS object_created_at ON object (created_at);
CREATE INDEX IF NOT EXISTS object_id ON object (id);`

/** Of all keys; the oldest are forgotten first. */
const MOST_OBJECTS = 1_000_000
const PUTS_PER_TRIM = 256

/** A table in a file that other tables may share. @throws Error when it cannot be opened */
export function openObjectStore(file: string): ObjectStore {
  const database = new Sqlite(file, { timeout: 1_000 })
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = NORMAL')
  database.exec(SCHEMA)
  const put = database.prepare('INSERT OR REPLACE INTO object (key_id, id, upstream, created_at) VALUES (?, ?, ?, ?)')
  const find = database.prepare<[string, string]>('SELECT upstream FROM object WHERE key_id = ? AND id = ?').pluck()
  const has = database.prepare<[string]>('SELECT 1 FROM object WHERE id = ? LIMIT 1').pluck()
  const remove = database.prepare('DELETE FROM object WHERE key_id = ? AND id = ?')
  const upstreamsOf = database.prepare<[string]>('SELECT DISTINCT upstream FROM object WHERE key_id = ?').pluck()
  const trim = database.prepare(
    `DELETE FROM object WHERE created_at <
       (SELECT created_at FROM object ORDER BY created_at DESC LIMIT 1 OFFSET ${MOST_OBJECTS})`,
  )
  let puts = 0
  return {
    put(keyId, id, upstream, at) {
      put.run(keyId, id, upstream, at)
      if (puts % PUTS_PER_TRIM === 0) trim.run()
      puts += 1
    },
    find: (keyId, id) => (find.get(keyId, id) as string | undefined) ?? null,
    has: (id) => has.get(id) !== undefined,
    remove: (keyId, id) => void remove.run(keyId, id),
    upstreamsOf: (keyId) => upstreamsOf.all(keyId) as string[],
    close: () => database.close(),
  }
}
