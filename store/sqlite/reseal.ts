import type { Database } from 'better-sqlite3'
import type { Keyring } from '../sealed/keyring.ts'
import { type Place, sealedHead } from '../sealed/sealed.ts'

/** A column of sealed texts, of a table with rowids. */
export type SealedColumn = {
  readonly table: string
  readonly column: string
  /** Columns that the place of a row is made of. */
  readonly keys: readonly string[]
  readonly placeOf: (...keys: readonly string[]) => Place
}

/** Where a pass over a table has got to. `lost`: rows that no key opens, which stay as they are. */
export type Resealed = {
  readonly after: number
  readonly isDone: boolean
  readonly sealed: number
  readonly lost: number
}

type Row = { readonly rowid: number; readonly sealed: Buffer } & Readonly<Record<string, unknown>>

/**
 * Seals the next rows of a table with the current key, in one transaction. A row that is sealed with it already costs a
 * comparison. @param after of the step before; 0 at first @param most rows that are sealed
 */
export function resealSome(
  database: Database,
  keyring: Pick<Keyring, 'seal' | 'unseal' | 'currentId'>,
  { table, column, keys, placeOf }: SealedColumn,
  after: number,
  most: number,
): Resealed {
  const head = sealedHead(keyring.currentId())
  const next = database.prepare<[number, Buffer, number], Row>(
    `SELECT rowid, ${column} AS sealed, ${keys.map((key, index) => `${key} AS key${index}`).join(', ')} FROM ${table}
       WHERE rowid > ? AND ${column} IS NOT NULL AND substr(${column}, 1, ${head.length}) <> ? ORDER BY rowid LIMIT ?`,
  )
  const update = database.prepare(`UPDATE ${table} SET ${column} = ? WHERE rowid = ?`)
  return database.transaction((): Resealed => {
    const rows = next.all(after, head, most)
    let lost = 0
    for (const row of rows) {
      const place = placeOf(...keys.map((_, index) => String(row[`key${index}`])))
      const text = keyring.unseal(place, row.sealed)
      if (text === null) lost += 1
      else update.run(keyring.seal(place, text), row.rowid)
    }
    const last = rows.at(-1)?.rowid ?? after
    return { after: last, isDone: rows.length < most, sealed: rows.length - lost, lost }
  })()
}
