import { type Verdict, verifyAudit } from '../store/sqlite/audit-verify.ts'

/**
 * Checks the audit in a copy of a database, with its `audit.head` beside it.
 * @param known an entry that was noted elsewhere @throws Error that names the file, when it cannot be read
 */
export function checkAuditCopy(file: string, known: Verdict['head'] | null): Verdict {
  try {
    return verifyAudit(file, known)
  } catch (cause) {
    throw new Error(`${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}
