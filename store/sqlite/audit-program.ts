import { parentPort, workerData } from 'node:worker_threads'
import { auditPage } from './audit-page.ts'
import { verifyAudit } from './audit-verify.ts'
import type { AuditJob } from './read-audit.ts'

// Reads the audit once, as a thread of the daemon.
const { file, job } = workerData as { readonly file: string; readonly job: AuditJob }
parentPort?.postMessage(job.kind === 'page' ? auditPage(file, job) : verifyAudit(file, job.known))
