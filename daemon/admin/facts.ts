import type { AuditFacts } from '../audit/entry.ts'

/** A value as the audit keeps it: plain JSON. @param value that holds no secret */
export function factsOf(value: unknown): AuditFacts {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value)) as AuditFacts) // JSON is what comes out of it
}
