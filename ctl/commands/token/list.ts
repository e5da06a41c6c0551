import type { TokenInfo } from '../../../schemas/admin.ts'
import type { Run } from '../../invocation.ts'
import { table } from '../../output/table.ts'

export const run: Run = async ({ admin, json, print, printJson, stdout }) => {
  const list = await admin.ask('GET /v1/tokens')
  if (json) printJson(list)
  else print(table(['ID', 'NAME', 'SCOPES', 'CREATED', 'STATE'], list.tokens.map(row), stdout))
  return 0
}

function row({ id, name, scopes, created_at, expires_at, revoked_at }: TokenInfo): readonly string[] {
  return [id, name, scopes.join(','), created_at, stateText(expires_at, revoked_at)]
}

function stateText(expiresAt: string | undefined, revokedAt: string | undefined): string {
  if (revokedAt !== undefined) return `revoked ${revokedAt}`
  if (expiresAt === undefined) return 'valid'
  return Date.parse(expiresAt) <= Date.now() ? `expired ${expiresAt}` : `valid until ${expiresAt}`
}
