import { hash } from 'node:crypto'

/** A row of the table `audit`. */
export type AuditRow = {
  readonly seq: number
  /** Unix milliseconds. */
  readonly at: number
  readonly via: string
  readonly who_id: string
  readonly who_name: string
  readonly action: string
  readonly object: string
  readonly address: string | null
  readonly door: string
  readonly outcome: string
  readonly reason: string
  readonly old: string | null
  readonly new: string | null
  readonly hash: string
}

/** Number and hash of the last row. */
export type AuditHead = Pick<AuditRow, 'seq' | 'hash'>

/** What the first row is chained to. */
export const NO_HEAD: AuditHead = { seq: 0, hash: '0'.repeat(64) }

/** The action of an entry that says that those before it are not what they were. */
export const BROKEN = 'audit.broken'

/** SHA-256, in hexadecimal digits, of the hash before and everything in this row. */
export function chainHash(before: string, row: Omit<AuditRow, 'hash'>): string {
  const { seq, at, via, who_id, who_name, action, object, address, door, outcome, reason, old } = row
  const parts = [before, seq, at, via, who_id, who_name, action, object, address, door, outcome, reason, old, row.new]
  return hash('sha256', JSON.stringify(parts), 'hex')
}

/** @param text of `audit.head` @returns null when it is not one */
export function headIn(text: string): AuditHead | null {
  const found = /^\{"seq":(\d{1,15}),"hash":"([0-9a-f]{64})"\}\n?$/.exec(text)
  return found === null ? null : { seq: Number(found[1]), hash: found[2] ?? '' }
}
