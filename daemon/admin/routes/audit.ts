import {
  AUDIT_ANSWERS,
  type AuditInfo,
  type AuditVerdict,
  auditQuery,
  auditVerifyQuery,
} from '../../../schemas/api/audit.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { sinceOf } from '../since.ts'

/** As the store has it. Times are Unix milliseconds, `old` and `new` JSON. */
type Row = Omit<AuditInfo, 'at' | 'who' | 'name' | 'old' | 'new'> & {
  readonly at: number
  readonly who_id: string
  readonly who_name: string
  readonly old: string | null
  readonly new: string | null
}

type Head = AuditVerdict['head']

export type AuditParts = {
  readonly auditLog: {
    readonly page: (
      wanted: { readonly since: number; readonly before: number | null; readonly limit: number },
      signal: AbortSignal,
    ) => Promise<readonly Row[]>
    readonly verify: (known: Head | null, signal: AbortSignal) => Promise<AuditVerdict>
  }
  /** Unix milliseconds. */
  readonly now: () => number
}

/** Who did what. */
export function auditRoutes({ auditLog, now }: AuditParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/api/admin/audit',
      scope: 'admin',
      summary: 'Lists who did what, and what was refused, the newest first',
      query: auditQuery,
      answer: AUDIT_ANSWERS['GET /api/admin/audit'],
      handle: async ({ query: { since, before = null, limit }, signal }) => {
        const from = since === undefined ? 0 : sinceOf(since, now())
        const rows = await auditLog.page({ since: from, before, limit }, signal)
        return json({ entries: rows.map(infoOf) })
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/api/admin/audit/verify',
      scope: 'admin',
      summary: 'Checks that no entry of the audit was changed, moved or removed',
      query: auditVerifyQuery,
      answer: AUDIT_ANSWERS['GET /api/admin/audit/verify'],
      handle: async ({ query: { head }, signal }) => json(await auditLog.verify(headOf(head), signal)),
    }),
  ]
}

function headOf(text: string | undefined): Head | null {
  const [seq = '', hash = ''] = text?.split(':') ?? []
  return text === undefined ? null : { seq: Number(seq), hash }
}

function infoOf({ at, who_id, who_name, old, new: now, ...row }: Row): AuditInfo {
  return {
    ...row,
    at: new Date(at).toISOString(),
    who: who_id,
    name: who_name,
    ...(old !== null && { old: JSON.parse(old) }),
    ...(now !== null && { new: JSON.parse(now) }),
  }
}
