import type { UsageRow } from '../../daemon/meter/usage.ts'
import { LATER_VALUES, USAGE_FIELDS, USAGE_KINDS, valuesOf } from '../usage-columns.ts'

/** A row as one line, newline included: a JSON array, since names would double its length. */
export function usageLine(row: UsageRow): string {
  return `${JSON.stringify(valuesOf(row))}\n`
}

const KINDS: readonly string[] = Object.values(USAGE_KINDS)
/** All fields at once: an object that grows by one field after the other is copied again and again. */
const UNREAD = Object.fromEntries(USAGE_FIELDS.map((field) => [field, null]))

/** @param line without its newline. @returns null when it is damaged */
export function rowOfLine(line: string): UsageRow | null {
  const written = parse(line)
  if (written === null) return null
  const missing = USAGE_FIELDS.length - written.length
  if (missing < 0 || missing > LATER_VALUES.length) return null
  const values = missing === 0 ? written : [...written, ...LATER_VALUES.slice(-missing)]
  const row: Record<string, unknown> = { ...UNREAD }
  for (let i = 0; i < KINDS.length; i += 1) {
    if (!isKind(values[i], KINDS[i])) return null
    row[USAGE_FIELDS[i] as string] = values[i]
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

function isKind(value: unknown, kind: string | undefined): boolean {
  return typeof value === kind || (kind === 'number or null' && (value === null || typeof value === 'number'))
}
