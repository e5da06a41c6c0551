import type { Run } from '../../invocation.ts'
import { table } from '../../output/table.ts'

export const run: Run = async ({ admin, json, print, printJson, stdout }) => {
  const { upstreams } = await admin.ask('GET /v1/status')
  if (json) printJson({ upstreams })
  else {
    const rows = upstreams.map(({ name, provider, state, models_count, dialects = {} }) => [
      name,
      provider,
      state,
      String(models_count),
      Object.entries(dialects)
        .map(([dialect, grade]) => `${dialect} ${grade}`)
        .join(', '),
    ])
    print(table(['UPSTREAM', 'PROVIDER', 'STATE', 'MODELS', 'DIALECTS'], rows, stdout))
  }
  return 0
}
