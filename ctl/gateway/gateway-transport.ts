import type { IncomingMessage } from 'node:http'
import { failure } from '../failure.ts'
import type { Transport } from '../transport.ts'
import { changeCredentials } from './change-credentials.ts'
import { type GatewayCredential, readCredentials } from './credentials.ts'
import { sendHttps, unreachable } from './https.ts'
import { isFresh, refreshed } from './oauth.ts'

/**
 * A gateway elsewhere, over HTTPS, with the rights of the person who is signed in there.
 * @param file where the tokens are
 * @param token of the environment, such as a key; undefined: the one that `gatectl login` got
 */
export function gatewayTransport(
  gateway: string,
  file: string,
  token: string | undefined,
  now: () => number,
): Transport {
  return {
    to: gateway,
    remedy: `check the address: ${gateway}`,
    async send({ method, path, body, signal, timeoutMs }): Promise<IncomingMessage> {
      const { access_token: access, ca } =
        token === undefined ? await credential(gateway, file, now) : { access_token: token, ca: undefined }
      const text = body === undefined ? '' : JSON.stringify(body)
      const type = body === undefined ? {} : { 'content-type': 'application/json' }
      const headers = { authorization: `Bearer ${access}`, ...type }
      const response = await sendHttps(`${gateway}${path}`, { method, headers, text, signal, timeoutMs, ca }).catch(
        (error: unknown) => unreachable(gateway, error),
      )
      if (response.statusCode === 401) throw notSignedIn(gateway, 'has ended your sign-in, or does not know it')
      return response
    },
  }
}

/** The credential of a gateway: one that counts; refreshed by one gatectl at a time. @throws Failure NOT_SIGNED_IN, NO_GATEWAY */
export async function credential(gateway: string, file: string, now: () => number): Promise<GatewayCredential> {
  const known = readCredentials(file).gateways[gateway]
  if (known === undefined) throw notSignedIn(gateway, 'is not one that you are signed in to')
  if (isFresh(known, now)) return known
  const { gateways } = await changeCredentials(file, async (before) => {
    const latest = before.gateways[gateway]
    if (latest === undefined || isFresh(latest, now)) return before
    const next = await refreshed(gateway, latest, now)
    const { [gateway]: _, ...others } = before.gateways
    return { ...before, gateways: next === null ? others : { ...others, [gateway]: next } }
  })
  const found = gateways[gateway]
  if (found === undefined) throw notSignedIn(gateway, 'has ended your sign-in')
  return found
}

function notSignedIn(gateway: string, what: string) {
  return failure('NOT_SIGNED_IN', `${gateway} ${what}`, { hint: `sign in: gatectl login ${gateway}` })
}
