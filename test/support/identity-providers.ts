import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer, type RequestListener, type Server } from 'node:http'
import Provider from 'oidc-provider'

/** A provider of the tests, on a free loopback port. */
export type RunningProvider = { readonly issuer: string; readonly stop: () => Promise<void> }

export const CLIENT_ID = 'gate'
export const CLIENT_SECRET = 'a-secret-of-the-tests-canary-7d1f'

/**
 * A real OpenID provider (oidc-provider) that asks for a name alone: any name is let in, with any password.
 * @param redirectUris of the one client that it knows
 * @param claimsOf what it tells of a person beside the name
 */
export async function startIdentityProvider(
  redirectUris: readonly string[],
  claimsOf: (subject: string) => Record<string, unknown> = () => ({}),
): Promise<RunningProvider> {
  let answer: RequestListener = () => {}
  const server = createServer((request, response) => answer(request, response))
  const issuer = await listen(server)
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: randomUUID() }] },
    cookies: { keys: [randomUUID()] },
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        redirect_uris: [...redirectUris],
        post_logout_redirect_uris: redirectUris.map((uri) => `${new URL(uri).origin}/login`),
      },
    ],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'groups'], email: ['email', 'email_verified'] },
    findAccount: (_context: unknown, subject: string) => ({
      accountId: subject,
      claims: () => ({ sub: subject, name: subject, email: `${subject}@example.org`, ...claimsOf(subject) }),
    }),
    features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  })
  answer = provider.callback()
  return { issuer, stop: () => close(server) }
}

/** @returns its origin */
export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

export async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  await closed
}

/**
 * A browser without a screen, for the pages of oidc-provider: it follows redirects and signs in with a name, until it
 * is sent to a URL that begins with `back`.
 * @returns that URL
 */
export async function signInAt(url: string, back: string, name: string): Promise<string> {
  const cookies = new Map<string, string>()
  let next = new URL(url)
  let form: URLSearchParams | null = null
  for (let step = 0; step < 20; step += 1) {
    const response = await fetch(next, {
      redirect: 'manual',
      method: form === null ? 'GET' : 'POST',
      headers: { cookie: [...cookies].map((pair) => pair.join('=')).join('; ') },
      body: form,
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [, key = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (value === '') cookies.delete(key)
      else cookies.set(key, value)
    }
    const location = response.headers.get('location')
    if (location !== null) {
      next = new URL(location, next)
      form = null
      if (next.href.startsWith(back)) return next.href
      continue
    }
    const page = await response.text()
    const [, action] = /action="([^"]+)"/.exec(page) ?? []
    const [, prompt] = /name="prompt" value="([^"]+)"/.exec(page) ?? []
    if (action === undefined || prompt === undefined) throw new Error(`an unexpected page: ${response.status} ${page}`)
    next = new URL(action, next)
    form = new URLSearchParams({ prompt, ...(prompt === 'login' && { login: name, password: 'any' }) })
  }
  throw new Error('the provider sends the browser around')
}
