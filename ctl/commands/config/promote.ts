import { usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'

export const run: Run = async ({ admin, text, json, print, printJson, note }) => {
  const format = text('format') ?? 'spec'
  if (format !== 'nix' && format !== 'spec') {
    throw usageFailure(
      `gatectl config promote: --format ${format} is neither nix nor spec`,
      'gatectl config promote --format nix',
    )
  }
  const promotion = await admin.ask('GET /v1/config/promote', { query: { format } })
  if (json) printJson(promotion)
  else if (promotion.text === '') note('the runtime configuration changes nothing')
  else print(promotion.text.replace(/\n$/, ''))
  return 0
}
