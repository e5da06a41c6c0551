import type { TokenInfo } from '../../../schemas/admin.ts'
import type { Run } from '../../invocation.ts'
import { allowanceText } from '../../output/allowance-text.ts'
import { table } from '../../output/table.ts'

export const run: Run = async ({ admin, json, print, printJson, stdout }) => {
  const list = await admin.ask('GET /v1/tokens')
  if (json) printJson(list)
  else print(table(['ID', 'NAME', 'SCOPES', 'CREATED', 'STATE', 'MODELS'], list.tokens.map(row), stdout))
  return 0
}

function row(token: TokenInfo): readonly string[] {
  const { id, name, scopes, created_at, expires_at, revoked_at } = token
  return [id, name, scopes.join(','), created_at, stateText(expires_at, revoked_at), allowanceText(token)]
}

function stateText(expiresAt: string | undefined, revokedAt: string | undefined): string {
  if (revokedAt !== undefined) return `revoked ${revokedAt}`
  if (expiresAt === undefined) return 'valid'
  return Date.parse(expiresAt) <= Date.now() ? `expired ${expiresAt}` : `valid until ${expiresAt}`
}
