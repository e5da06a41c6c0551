import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer } from 'node:http'
import { close, listen } from './identity-providers.ts'

/** What a token says, before it is signed. `signedBy`: how; left out: by the key that is published, with RS256. */
export type Forged = {
  readonly header?: Record<string, unknown>
  readonly claims?: Record<string, unknown>
  readonly signedBy?: 'the key' | 'another key' | 'the client secret' | 'the public key' | 'nobody'
}

const keyPair = () => generateKeyPairSync('rsa', { modulusLength: 2_048 })

/**
 * An OpenID provider that signs what a test says, over the wire as providers do.
 * @param secret of its client
 */
export async function startForgingProvider(secret: string) {
  const own = keyPair()
  const other = keyPair()
  let forged: Forged = {}
  let document: Record<string, unknown> = {}
  let asked = 0
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://op')
    const send = (value: unknown) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (pathname === '/.well-known/openid-configuration') return send({ ...standard(), ...document })
    if (pathname === '/jwks')
      return send({ keys: [{ ...own.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'RS256', use: 'sig' }] })
    if (pathname !== '/token') return response.writeHead(302, { location: 'http://127.0.0.1:1/elsewhere' }).end()
    asked += 1
    request.resume()
    return send({ access_token: 'access', token_type: 'Bearer', expires_in: 60, id_token: tokenOf(forged) })
  })
  const issuer = await listen(server)

  function standard(): Record<string, unknown> {
    return {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      authorization_response_iss_parameter_supported: true,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    }
  }

  function tokenOf({ header = {}, claims = {}, signedBy = 'the key' }: Forged): string {
    const now = Math.floor(Date.now() / 1_000)
    const payload = { iss: issuer, sub: 'mara', aud: 'gate', iat: now, exp: now + 300, ...claims }
    const text = `${encoded({ alg: 'RS256', kid: 'one', ...header })}.${encoded(payload)}`
    const bySecret = (key: string) => createHmac('sha256', key).update(text).digest('base64url')
    const byKey = (key: KeyObject) => sign('sha256', Buffer.from(text), key).toString('base64url')
    switch (signedBy) {
      case 'the key':
        return `${text}.${byKey(own.privateKey)}`
      case 'another key':
        return `${text}.${byKey(other.privateKey)}`
      case 'the client secret':
        return `${text}.${bySecret(secret)}`
      case 'the public key':
        return `${text}.${bySecret(own.publicKey.export({ type: 'spki', format: 'pem' }).toString())}`
      case 'nobody':
        return `${text}.`
    }
  }

  return {
    issuer,
    /** The public half of a key that it does not publish. */
    otherKey: other.publicKey.export({ format: 'jwk' }),
    /** What its next tokens are like. */
    forge(next: Forged): void {
      forged = next
    },
    /** What its document says besides. */
    say(next: Record<string, unknown>): void {
      document = next
    },
    /** How often a code came to be exchanged. */
    exchanges: () => asked,
    stop: () => close(server),
  }
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
