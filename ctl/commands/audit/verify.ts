import type { AuditVerdict } from '../../../schemas/api/audit.ts'
import { usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'

/** Of millions of entries. */
const LONGEST_CHECK_MS = 300_000

export const run: Run = async ({ admin, json, text, print, printJson }) => {
  const [copy, head] = [text('copy'), text('head')]
  if (head !== undefined && !/^\d{1,15}:[0-9a-f]{64}$/.test(head))
    throw usageFailure('--head: not NUMBER:HASH', '"gatectl audit verify" prints it')
  const verdict = copy === undefined ? await asked() : await ofCopy(copy, head)
  if (json) printJson(verdict)
  else print(verdictText(verdict))
  return verdict.faults.length === 0 ? 0 : 3

  function asked(): Promise<AuditVerdict> {
    const query = head === undefined ? {} : { head }
    return admin.ask('GET /api/admin/audit/verify', { query, timeoutMs: LONGEST_CHECK_MS })
  }
}

async function ofCopy(file: string, head: string | undefined): Promise<AuditVerdict> {
  const { checkAuditCopy } = await import('../../../host/audit-copy.ts')
  const [seq = '', hash = ''] = head?.split(':') ?? []
  return checkAuditCopy(file, head === undefined ? null : { seq: Number(seq), hash })
}

function verdictText({ entries, head, faults }: AuditVerdict): string {
  const lines = faults.map(({ seq, message }) => (seq === 0 ? message : `entry ${seq}: ${message}`))
  const summary =
    faults.length === 0
      ? entries === 1
        ? '1 entry'
        : `${entries} entries, each chained to the one before`
      : 'the audit was changed'
  return [...lines, summary, `last entry: ${head.seq}:${head.hash}`].join('\n')
}
