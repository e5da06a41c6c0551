import { Failure, usageFailure } from '../../failure.ts'
import { changeCredentials } from '../../gateway/change-credentials.ts'
import { credentialsFile, readCredentials } from '../../gateway/credentials.ts'
import { gatewayUrl } from '../../gateway/https.ts'
import { revoke } from '../../gateway/oauth.ts'
import type { Run } from '../../invocation.ts'

export const run: Run = async ({ arguments: [named], text, env, json, print, printJson, note }) => {
  const file = credentialsFile(env)
  const { current, gateways } = readCredentials(file)
  const asked = named ?? text('gateway') ?? current
  if (asked === null) throw usageFailure('you are not signed in to any gateway', 'gatectl login URL signs in')
  const gateway = gatewayUrl(asked)
  const credential = gateways[gateway]
  if (credential === undefined)
    throw usageFailure(
      `you are not signed in to ${gateway}`,
      `you are to: ${Object.keys(gateways).join(', ') || 'none'}`,
    )
  await revoke(credential).catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error
    note(`${error.problem.detail}; the tokens are removed here, and count there until they expire`)
  })
  await changeCredentials(file, (before) => {
    const { [gateway]: _, ...others } = before.gateways
    return { current: before.current === gateway ? null : before.current, gateways: others }
  })
  if (json) printJson({ gateway })
  else print(`signed out of ${gateway}`)
  return 0
}
