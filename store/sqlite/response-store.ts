import { closeSync, existsSync, openSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { type Place, seal, unseal } from '../sealed/sealed.ts'

/** What is kept of one answer, as text, for one key. Times are Unix milliseconds. */
export type ResponseStore = {
  /** Takes the place of what was kept under the same id. */
  readonly put: (keyId: string, id: string, at: number, text: string) => void
  /** @param since what is older counts as gone @returns null when there is none */
  readonly get: (keyId: string, id: string, since: number) => string | null
  /** @returns whether there was one */
  readonly remove: (keyId: string, id: string) => boolean
  /** Removes what is older than `since`, and the oldest of what takes more than `maxBytes` together. */
  readonly trim: (since: number, maxBytes: number) => void
  readonly close: () => void
}

const SCHEMA = `CREATE TABLE IF NOT EXISTS response (
  key_id TEXT NOT NULL,
  id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (key_id, id)
) STRICT;
CREATE INDEX IF NOT EXISTS response_created_at ON response (created_at, key_id, id, length(sealed));`

type Size = { readonly bytes: number }
const NOTHING: Size = { bytes: 0 }

const placeOf = (keyId: string, id: string): Place => ['response', keyId, id]

/**
 * Answers that clients may ask for again, each sealed for its key. A file of its own: it grows and shrinks, and losing it
 * loses neither keys nor usage.
 * @throws Error when it cannot be opened
 */
export function openResponseStore(file: string, key: Buffer): ResponseStore {
  if (!existsSync(file)) closeSync(openSync(file, 'ax', 0o600))
  const database = new Sqlite(file, { timeout: 1_000 })
  database.pragma('auto_vacuum = INCREMENTAL')
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = NORMAL')
  database.exec(SCHEMA)
  const put = database.prepare('INSERT OR REPLACE INTO response (key_id, id, created_at, sealed) VALUES (?, ?, ?, ?)')
  const get = database.prepare<[string, string, number], { readonly sealed: Buffer }>(
    'SELECT sealed FROM response WHERE key_id = ? AND id = ? AND created_at >= ?',
  )
  const remove = database.prepare<[string, string], Size>(
    'DELETE FROM response WHERE key_id = ? AND id = ? RETURNING length(sealed) AS bytes',
  )
  const expire = database.prepare<[number], Size>(
    'DELETE FROM response WHERE created_at < ? RETURNING length(sealed) AS bytes',
  )
  const oldest = database.prepare<[], Size & { readonly rowid: number }>(
    'SELECT rowid, length(sealed) AS bytes FROM response ORDER BY created_at, rowid',
  )
  const removeRow = database.prepare('DELETE FROM response WHERE rowid = ?')
  const sizeOf = database.prepare<[string, string], Size>(
    'SELECT length(sealed) AS bytes FROM response WHERE key_id = ? AND id = ?',
  )
  /** Of all that is kept: counting it means reading an index of everything. */
  let total = database.prepare<[], Size>('SELECT TOTAL(length(sealed)) AS bytes FROM response').get()?.bytes ?? 0

  /** The rows to remove so that so much is left at most. */
  function tooMuch(maxBytes: number): readonly number[] {
    const rowids: number[] = []
    if (total <= maxBytes) return rowids
    for (const { rowid, bytes } of oldest.iterate()) {
      rowids.push(rowid)
      total -= bytes
      if (total <= maxBytes) break
    }
    return rowids
  }

  return {
    put(keyId, id, at, text) {
      const sealed = seal(key, placeOf(keyId, id), text)
      const { bytes } = sizeOf.get(keyId, id) ?? NOTHING
      put.run(keyId, id, at, sealed)
      total += sealed.length - bytes
    },
    get(keyId, id, since) {
      const row = get.get(keyId, id, since)
      return row === undefined ? null : unseal(key, placeOf(keyId, id), row.sealed)
    },
    remove(keyId, id) {
      const removed = remove.get(keyId, id)
      total -= removed?.bytes ?? 0
      return removed !== undefined
    },
    trim(since, maxBytes) {
      for (const { bytes } of expire.all(since)) total -= bytes
      for (const rowid of tooMuch(maxBytes)) removeRow.run(rowid)
      database.pragma('incremental_vacuum')
    },
    close: () => database.close(),
  }
}
