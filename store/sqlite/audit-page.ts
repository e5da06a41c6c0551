import Sqlite from 'better-sqlite3'
import type { AuditRow } from './audit-chain.ts'

/** Which entries are read, the newest first. `since` is Unix milliseconds; `before` a number, null: no end. */
export type AuditWanted = { readonly since: number; readonly before: number | null; readonly limit: number }

/** @throws Error when the database cannot be read */
export function auditPage(file: string, { since, before, limit }: AuditWanted): AuditRow[] {
  const database = new Sqlite(file, { readonly: true, fileMustExist: true, timeout: 5_000 })
  try {
    const rows = database.prepare<[number, number, number], AuditRow>(
      'SELECT * FROM audit WHERE at >= ? AND seq < ? ORDER BY seq DESC LIMIT ?',
    )
    return rows.all(since, before ?? Number.MAX_SAFE_INTEGER, limit)
  } finally {
    database.close()
  }
}
