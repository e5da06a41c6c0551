import { escapeControls } from '../../../syntax/terminal/log-line.ts'
import type { Run } from '../../invocation.ts'
import { table } from '../../output/table.ts'

/** What is said of where a grade comes from. */
const ORIGINS = { provider: '', probe: ' (probed)', config: ' (set)' } as const

export const run: Run = async ({ admin, json, print, printJson, stdout }) => {
  const { upstreams } = await admin.ask('GET /api/admin/system')
  if (json) printJson({ upstreams })
  else {
    const rows = upstreams.map(({ name, provider, state, models_count, dialects = {}, dialects_from = {} }) => [
      name,
      provider,
      state,
      String(models_count),
      Object.entries(dialects)
        .map(([dialect, grade]) => `${dialect} ${grade}${ORIGINS[dialects_from[dialect]?.from ?? 'provider']}`)
        .join(', '),
    ])
    print(table(['UPSTREAM', 'PROVIDER', 'STATE', 'MODELS', 'DIALECTS'], rows, stdout))
    for (const { name, dialects_from = {} } of upstreams) {
      for (const [dialect, { faults = [] }] of Object.entries(dialects_from)) {
        if (faults.length > 0) print(`${escapeControls(`${name}: ${dialect}: ${faults.join('; ')}`)}`)
      }
    }
  }
  return 0
}
