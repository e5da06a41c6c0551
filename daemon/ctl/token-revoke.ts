import type { Run } from './invocation.ts'

export const run: Run = async ({ admin, arguments: [id = ''], json, print }) => {
  const revoked = await admin.ask('DELETE /v1/tokens/:', { parameter: id })
  print(json ? JSON.stringify(revoked) : `revoked ${revoked.id}`)
  return 0
}
