import { openAnswersFile } from './answers-file.ts'

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
DROP INDEX IF EXISTS object_created_at;
CREATE INDEX IF NOT EXISTS object_of_key ON object (key_id, created_at);
CREATE INDEX IF NOT EXISTS object_id ON object (id);`

/** Of one key; its oldest are forgotten first. What a key makes never costs another one anything. */
const MOST_OBJECTS = 100_000
/** Forgotten at a time at most, so that nobody waits for it. */
const ROWS_PER_TRIM = 1_000

/** A table in a file that other tables may share. @throws Error when it cannot be opened */
export function openObjectStore(file: string, mostOfKey = MOST_OBJECTS): ObjectStore {
  const database = openAnswersFile(file, SCHEMA)
  const put = database.prepare('INSERT OR REPLACE INTO object (key_id, id, upstream, created_at) VALUES (?, ?, ?, ?)')
  const find = database.prepare<[string, string]>('SELECT upstream FROM object WHERE key_id = ? AND id = ?').pluck()
  const has = database.prepare<[string]>('SELECT 1 FROM object WHERE id = ? LIMIT 1').pluck()
  const remove = database.prepare('DELETE FROM object WHERE key_id = ? AND id = ?')
  const upstreamsOf = database.prepare<[string]>('SELECT DISTINCT upstream FROM object WHERE key_id = ?').pluck()
  const count = database.prepare<[string]>('SELECT COUNT(*) FROM object WHERE key_id = ?').pluck()
  const trim = database.prepare<[string, string, number]>(
    `DELETE FROM object WHERE key_id = ? AND id IN
       (SELECT id FROM object WHERE key_id = ? ORDER BY created_at LIMIT ?)`,
  )
  /** Of each key that has put something: counting means reading an index of it all. */
  const counts = new Map<string, number>()
  const countOf = (keyId: string) => counts.get(keyId) ?? (count.get(keyId) as number)

  return {
    put(keyId, id, upstream, at) {
      const before = countOf(keyId)
      const isNew = find.get(keyId, id) === undefined
      put.run(keyId, id, upstream, at)
      counts.set(keyId, before + Number(isNew))
      const tooMany = before + Number(isNew) - mostOfKey
      if (tooMany <= 0) return
      const { changes } = trim.run(keyId, keyId, Math.min(tooMany, ROWS_PER_TRIM))
      counts.set(keyId, before + Number(isNew) - changes)
    },
    find: (keyId, id) => (find.get(keyId, id) as string | undefined) ?? null,
    has: (id) => has.get(id) !== undefined,
    remove(keyId, id) {
      const before = countOf(keyId)
      counts.set(keyId, before - remove.run(keyId, id).changes)
    },
    upstreamsOf: (keyId) => upstreamsOf.all(keyId) as string[],
    close: () => database.close(),
  }
}
