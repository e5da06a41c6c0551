import { extname } from 'node:path'
import type { AuditHead, AuditRow } from './audit-chain.ts'
import type { AuditWanted } from './audit-page.ts'
import type { Verdict } from './audit-verify.ts'
import { answerOfThread } from './thread.ts'

export type AuditJob =
  | ({ readonly kind: 'page' } & AuditWanted)
  | { readonly kind: 'verify'; readonly known: AuditHead | null }

/** Reads some of the audit, in a thread. @throws Error why it cannot be read, or that it was ended */
export const readAuditPage = (file: string, wanted: AuditWanted, signal: AbortSignal): Promise<AuditRow[]> =>
  ask<AuditRow[]>(file, { kind: 'page', ...wanted }, signal)

/** Checks the whole audit, in a thread. @throws Error as above */
export const checkAudit = (file: string, known: AuditHead | null, signal: AbortSignal): Promise<Verdict> =>
  ask<Verdict>(file, { kind: 'verify', known }, signal)

function ask<T>(file: string, job: AuditJob, signal: AbortSignal): Promise<T> {
  const program = new URL(`./audit-program${extname(import.meta.url)}`, import.meta.url)
  return answerOfThread<T>(program, { file, job }, signal, 'reading the audit was cut off')
}
