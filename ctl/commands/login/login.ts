import { resolve } from 'node:path'
import { usageFailure } from '../../failure.ts'
import { changeCredentials } from '../../gateway/change-credentials.ts'
import { credentialsFile, readCredentials } from '../../gateway/credentials.ts'
import { gatewayUrl } from '../../gateway/https.ts'
import { signIn } from '../../gateway/oauth.ts'
import type { Run } from '../../invocation.ts'

export const run: Run = async ({ arguments: [named], text, env, json, print, printJson, note }) => {
  const file = credentialsFile(env)
  const asked = named ?? text('gateway') ?? (env['GATE_URL'] || undefined) ?? readCredentials(file).current ?? undefined
  if (asked === undefined) throw usageFailure('no gateway is named', 'such as gatectl login https://ai.example.org')
  const gateway = gatewayUrl(asked)
  const ca = text('ca')
  const credential = await signIn(
    gateway,
    ca === undefined ? undefined : resolve(ca),
    ({ userCode, uri, completeUri }) => {
      note(`open ${uri} in a browser and enter the code ${userCode}`)
      if (completeUri !== uri) note(`or open ${completeUri}`)
    },
    Date.now,
  )
  await changeCredentials(file, (before) => ({
    current: gateway,
    gateways: { ...before.gateways, [gateway]: credential },
  }))
  if (json) printJson({ gateway, account: credential.account, file })
  else
    print(
      `signed in to ${gateway}${credential.account === '' ? '' : ` as ${credential.account}`}; commands speak with it from now on`,
    )
  return 0
}
