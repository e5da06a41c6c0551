import type { KeyInfo } from '../../../schemas/api/keys.ts'
import type { Run } from '../../invocation.ts'
import { allowanceText } from '../../output/allowance-text.ts'
import { table } from '../../output/table.ts'

export const run: Run = async ({ admin, json, print, printJson, stdout }) => {
  const list = await admin.ask('GET /api/admin/keys')
  if (json) printJson(list)
  else print(table(['ID', 'NAME', 'OWNER', 'SCOPES', 'CREATED', 'STATE', 'MODELS'], list.keys.map(row), stdout))
  return 0
}

function row(key: KeyInfo): readonly string[] {
  const { id, name, owner, team, scopes, effective_scopes: left, created_at } = key
  const whose = owner?.name ?? (team === undefined ? '-' : `team ${team.name}`)
  const may = left === undefined ? scopes.join(',') : `${left.join(',') || 'nothing'} of ${scopes.join(',')}`
  return [id, name, whose, may, created_at, stateText(key), allowanceText(key)]
}

function stateText({ state, expires_at: end, revoked_at: revoked }: KeyInfo): string {
  switch (state) {
    case 'revoked':
      return `revoked ${revoked ?? ''}`.trimEnd()
    case 'expired':
      return `expired ${end ?? ''}`.trimEnd()
    case 'valid':
      return end === undefined ? 'valid' : `valid until ${end}`
    case 'disabled':
      return 'disabled'
    case 'removed':
      return 'its maker was removed'
  }
}
