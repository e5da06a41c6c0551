import type { UsageRow } from '../../daemon/meter/usage.ts'
import { LATER_VALUES, USAGE_FIELDS, USAGE_KINDS } from '../usage-columns.ts'

/** A row as one line, newline included: a JSON array, since names would double its length. */
export function usageLine(row: UsageRow): string {
  return `${JSON.stringify(USAGE_FIELDS.map((field) => row[field]))}\n`
}

const KINDS = Object.entries(USAGE_KINDS)
/** All fields at once: an object that grows by one field after the other is copied again and again. */
const UNREAD = Object.fromEntries(KINDS.map(([field]) => [field, null]))

/** @param line without its newline. @returns null when it is damaged */
export function rowOfLine(line: string): UsageRow | null {
  const written = parse(line)
  if (written === null) return null
  const missing = USAGE_FIELDS.length - written.length
  if (missing < 0 || missing > LATER_VALUES.length) return null
  const values = missing === 0 ? written : [...written, ...LATER_VALUES.slice(-missing)]
  const row: Record<string, unknown> = { ...UNREAD }
  for (let i = 0; i < KINDS.length; i += 1) {
    const [field, kind] = KINDS[i] as (typeof KINDS)[number]
    if (!isKind(values[i], kind)) return null
    row[field] = values[i]
  }
  return row as UsageRow // each value is of the kind of its field
}

function parse(line: string): readonly unknown[] | null {
  try {
    const values: unknown = JSON.parse(line)
    return Array.isArray(values) ? values : null
  } catch {
    return null
  }
}

function isKind(value: unknown, kind: string): boolean {
  return typeof value === kind || (kind === 'number or null' && (value === null || typeof value === 'number'))
}
