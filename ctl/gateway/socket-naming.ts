import type { IncomingMessage } from 'node:http'
import { WITNESS_SCHEME, witnessOf } from '../../system/token-witness.ts'
import { Failure } from '../failure.ts'
import { credentialsFile, readCredentials } from './credentials.ts'
import { credential } from './gateway-transport.ts'
import { jsonOf } from './https.ts'

const METADATA = '/.well-known/oauth-authorization-server'

/**
 * Who this user is to the daemon behind the admin socket, as an Authorization header: the key in GATE_TOKEN, else a
 * witness of the sign-in at the gateway that the daemon says it is. A daemon that lies about that gets no token.
 * @returns undefined where neither is there, or the sign-in has ended or cannot be read
 */
export async function socketNaming(
  ask: (path: string) => Promise<IncomingMessage>,
  env: Readonly<NodeJS.ProcessEnv>,
  now: () => number,
): Promise<string | undefined> {
  const token = env['GATE_URL'] ? undefined : env['GATE_TOKEN'] // else it is of that gateway
  if (token) return `Bearer ${token}`
  try {
    return await witnessFor(ask, credentialsFile(env), now)
  } catch (error) {
    if (error instanceof Failure) return undefined // the socket lets in who is not named, too
    throw error
  }
}

async function witnessFor(ask: (path: string) => Promise<IncomingMessage>, file: string, now: () => number) {
  const { gateways } = readCredentials(file)
  if (Object.keys(gateways).length === 0) return undefined
  const { issuer } = (await jsonOf(await ask(METADATA))) ?? {}
  if (typeof issuer !== 'string' || !Object.hasOwn(gateways, issuer)) return undefined
  const { access_token } = await credential(issuer, file, now)
  return `${WITNESS_SCHEME} ${witnessOf(access_token)}`
}
