import { PROMOTE_FORMATS } from '../../../schemas/words/promote-formats.ts'
import { usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'

export const run: Run = async ({ admin, text, json, print, printJson, note }) => {
  const format = text('format') ?? 'spec'
  if (!PROMOTE_FORMATS.some((known) => known === format))
    throw usageFailure(`gatectl config promote: unknown format "${format}"`, `there are: ${PROMOTE_FORMATS.join(', ')}`)
  const promotion = await admin.ask('GET /api/admin/config/promote', { query: { format } })
  if (json) printJson(promotion)
  else if (promotion.text === '') note('the runtime configuration changes nothing')
  else print(promotion.text.replace(/\n$/, ''))
  return 0
}
