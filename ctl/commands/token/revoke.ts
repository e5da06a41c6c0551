import type { Run } from '../../invocation.ts'

export const run: Run = async ({ admin, arguments: [id = ''], json, print, printJson }) => {
  const revoked = await admin.ask('DELETE /v1/tokens/:', { parameter: id })
  if (json) printJson(revoked)
  else print(`revoked ${revoked.id}`)
  return 0
}
