import type { Keyring } from '../sealed/keyring.ts'
import type { Place } from '../sealed/sealed.ts'
import { openAnswersFile } from './answers-file.ts'
import { type Resealed, resealSome, type SealedColumn } from './reseal.ts'

/** What is kept of one answer, as text, for one key. Times are Unix milliseconds. */
export type ResponseStore = {
  /** Takes the place of what was kept under the same id. */
  readonly put: (keyId: string, id: string, at: number, text: string) => void
  /** @param since what is older counts as gone @returns null when there is none */
  readonly get: (keyId: string, id: string, since: number) => string | null
  /** @returns whether there was one */
  readonly remove: (keyId: string, id: string) => boolean
  /**
   * Removes what is older than `since`, and the oldest of what takes more than `maxBytes` together; only so much at a
   * time that nobody waits for it. @returns whether there is more to remove
   */
  readonly trim: (since: number, maxBytes: number) => boolean
  /** Seals the next answers with the current key. @see resealSome */
  readonly reseal: (after: number, most: number) => Resealed
  /** Counts what another connection has put. */
  readonly added: (bytes: number) => void
  /** Whether the key opens what was kept last; so it does where nothing is. */
  readonly isReadable: () => boolean
  readonly close: () => void
}

/** What an answers file of these has. */
export const RESPONSE_SCHEMA = `CREATE TABLE IF NOT EXISTS response (
  key_id TEXT NOT NULL,
  id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  sealed BLOB NOT NULL,
  PRIMARY KEY (key_id, id)
) STRICT;
CREATE INDEX IF NOT EXISTS response_created_at ON response (created_at, key_id, id, length(sealed));`

/** Removed at a time at most. */
const ROWS_PER_TRIM = 1_000
const BYTES_PER_TRIM = 16 * 2 ** 20
/** Given back to the file system at a time, of pages with 4 KiB; others are written to again. */
const PAGES_PER_TRIM = 1_024

type Size = { readonly bytes: number }
const NOTHING: Size = { bytes: 0 }

/** Where a text is sealed for. */
export const placeOf = (keyId: string, id: string): Place => ['response', keyId, id]

const SEALED: SealedColumn = {
  table: 'response',
  column: 'sealed',
  keys: ['key_id', 'id'],
  placeOf: (keyId = '', id = '') => placeOf(keyId, id),
}

/** Answers that clients may ask for again, each sealed for its key. @throws Error when it cannot be opened */
export function openResponseStore(
  file: string,
  keyring: Pick<Keyring, 'seal' | 'unseal' | 'currentId'>,
): ResponseStore {
  const database = openAnswersFile(file, RESPONSE_SCHEMA)
  const put = database.prepare('INSERT OR REPLACE INTO response (key_id, id, created_at, sealed) VALUES (?, ?, ?, ?)')
  const get = database.prepare<[string, string, number], { readonly sealed: Buffer }>(
    'SELECT sealed FROM response WHERE key_id = ? AND id = ? AND created_at >= ?',
  )
  const remove = database.prepare<[string, string], Size>(
    'DELETE FROM response WHERE key_id = ? AND id = ? RETURNING length(sealed) AS bytes',
  )
  const oldest = database.prepare<[], Size & { readonly rowid: number; readonly at: number }>(
    `SELECT rowid, created_at AS at, length(sealed) AS bytes FROM response
       ORDER BY created_at, rowid LIMIT ${ROWS_PER_TRIM}`,
  )
  const newest = database.prepare<[], { readonly key_id: string; readonly id: string; readonly sealed: Buffer }>(
    'SELECT key_id, id, sealed FROM response ORDER BY created_at DESC LIMIT 1',
  )
  const removeRow = database.prepare('DELETE FROM response WHERE rowid = ?')
  const sizeOf = database.prepare<[string, string], Size>(
    'SELECT length(sealed) AS bytes FROM response WHERE key_id = ? AND id = ?',
  )
  /** Of all that is kept: counting it means reading an index of everything. */
  let total = database.prepare<[], Size>('SELECT TOTAL(length(sealed)) AS bytes FROM response').get()?.bytes ?? 0

  /** In one transaction: each of its own would be waited for. @returns what was removed */
  const removeOldest = database.transaction((since: number, maxBytes: number) => {
    const removed = { bytes: 0, isAll: true }
    const rows = oldest.all()
    for (const { rowid, at, bytes } of rows) {
      if (at >= since && total - removed.bytes <= maxBytes) return removed
      if (removed.bytes >= BYTES_PER_TRIM) return { ...removed, isAll: false }
      removeRow.run(rowid)
      removed.bytes += bytes
    }
    return { ...removed, isAll: rows.length < ROWS_PER_TRIM }
  })

  return {
    put(keyId, id, at, text) {
      const sealed = keyring.seal(placeOf(keyId, id), text)
      const { bytes } = sizeOf.get(keyId, id) ?? NOTHING
      put.run(keyId, id, at, sealed)
      total += sealed.length - bytes
    },
    get(keyId, id, since) {
      const row = get.get(keyId, id, since)
      return row === undefined ? null : keyring.unseal(placeOf(keyId, id), row.sealed)
    },
    remove(keyId, id) {
      const removed = remove.get(keyId, id)
      total -= removed?.bytes ?? 0
      return removed !== undefined
    },
    trim(since, maxBytes) {
      const removed = removeOldest(since, maxBytes)
      total -= removed.bytes
      const free = Number(database.pragma('freelist_count', { simple: true }))
      if (free > 0) database.pragma(`incremental_vacuum(${PAGES_PER_TRIM})`)
      return !removed.isAll || free > PAGES_PER_TRIM
    },
    added(bytes) {
      total += bytes
    },
    reseal: (after, most) => resealSome(database, keyring, SEALED, after, most),
    isReadable() {
      const row = newest.get()
      return row === undefined || keyring.unseal(placeOf(row.key_id, row.id), row.sealed) !== null
    },
    close: () => database.close(),
  }
}
