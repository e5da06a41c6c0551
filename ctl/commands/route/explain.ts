import { usageFailure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'
import { table } from '../../output/table.ts'

export const run: Run = async ({ admin, json, text, print, printJson, stdout }) => {
  const model = text('model')
  if (model === undefined) throw usageFailure('--model is missing', 'name a model, such as --model coder')
  const explanation = await admin.ask('GET /v1/route', { query: { model, holds: text('holds') ?? '' } })
  if (json) printJson(explanation)
  else {
    const rows = explanation.targets.map((target) => [
      target.turn === null ? '-' : String(target.turn),
      target.upstream,
      target.model,
      target.why,
    ])
    print(`${model}: ${explanation.strategy}`)
    print(table(['TURN', 'UPSTREAM', 'MODEL', 'WHY'], rows, stdout))
  }
  return 0
}
