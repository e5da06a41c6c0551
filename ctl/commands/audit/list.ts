import type { AuditInfo } from '../../../schemas/api/audit.ts'
import type { Run } from '../../invocation.ts'
import { table } from '../../output/table.ts'

export const run: Run = async ({ admin, json, text, print, printJson, stdout }) => {
  const query = { since: text('since') ?? '7d', limit: text('n') ?? '100' }
  const { entries } = await admin.ask('GET /api/admin/audit', { query })
  if (json) {
    printJson({ entries })
    return 0
  }
  if (entries.length === 0) print('there are no entries')
  else print(table(['TIME', 'WHO', 'FROM', 'ACTION', 'OBJECT', 'OUTCOME'], entries.toReversed().map(row), stdout))
  return 0
}

function row(entry: AuditInfo): readonly string[] {
  const { at, via, who, name, address, door, action, object, outcome, reason } = entry
  const person = name === '' ? who : name
  return [
    `${at.slice(0, 10)} ${at.slice(11, 19)}`,
    person === '' ? signedIn(entry) : `${person} (${via})`,
    address ?? door,
    action,
    object === '' ? '-' : object,
    reason === '' ? outcome : `${outcome}: ${reason}`,
  ]
}

/** Who a sign-in was of: before it, its caller was not known. */
function signedIn({ new: now }: AuditInfo): string {
  return typeof now === 'object' && now !== null && 'user' in now && typeof now.user === 'string' ? now.user : '-'
}
