import * as oidc from 'openid-client'
import { isLoopback } from '../../../schemas/words/address.ts'
import { GateError } from '../../../schemas/words/errors.ts'
import type { Log } from '../../../schemas/words/log.ts'
import { IdpFetchError, idpFetch } from './idp-fetch.ts'
import { type Identity, type IdentityProvider, roleIn } from './provider.ts'

/** How long a provider's document is used, and how long one that could not be had is not asked for again. */
const DOCUMENT_LIFE_MS = 3_600_000
const RETRY_MS = 5_000
/** Of discovery, of the exchange of a code and of each other request, in seconds. */
const TIMEOUT_S = 10
/** Clocks of providers that differ by more are wrong. */
const CLOCK_TOLERANCE_S = 30
/** Signatures that are taken, by public key alone: never `none`, never with a secret that both sides have. */
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519', 'RS384', 'RS512', 'PS384', 'PS512', 'ES384', 'ES512']

/** What the browser is sent away with, and has to come back with. */
export type Challenge = { readonly state: string; readonly nonce: string; readonly verifier: string }

type Document = { readonly key: string; readonly until: number; readonly configuration: Promise<oidc.Configuration> }

export type RelyingParty = ReturnType<typeof createRelyingParty>

/** Speaks OpenID Connect with providers. @param monotonic milliseconds */
export function createRelyingParty(log: Log, monotonic: () => number) {
  const documents = new Map<string, Document>()
  const reachedLast = new Map<string, oidc.Configuration>()

  /** The provider's document; asked for once, however many wait for it. @throws GateError IDP_UNREACHABLE */
  async function configurationOf(provider: IdentityProvider): Promise<oidc.Configuration> {
    const key = JSON.stringify([provider.issuer, provider.clientId, provider.clientSecret])
    const known = documents.get(provider.id)
    if (known !== undefined && known.key === key && known.until > monotonic()) return known.configuration
    const configuration = discover(provider)
    documents.set(provider.id, { key, until: monotonic() + DOCUMENT_LIFE_MS, configuration })
    configuration
      .then((reached) => reachedLast.set(provider.id, reached))
      .catch((error: unknown) => {
        log('warn', 'the identity provider does not answer as it should', {
          url: provider.issuer,
          error: reasonOf(error),
        })
        documents.set(provider.id, { key, until: monotonic() + RETRY_MS, configuration })
      })
    return configuration
  }

  return {
    /** Where a browser is sent to sign in. @param redirectUri where it comes back to @throws GateError */
    async begin(
      provider: IdentityProvider,
      redirectUri: string,
      { state, nonce, verifier }: Challenge,
    ): Promise<string> {
      const configuration = await reached(provider, () => configurationOf(provider))
      const url = oidc.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope: provider.scopes,
        response_type: 'code',
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state,
        nonce,
      })
      return url.href
    },

    /** Exchanges what a browser came back with. @param returned the redirect URI with its query @throws GateError */
    async finish(
      provider: IdentityProvider,
      returned: URL,
      { state, nonce, verifier }: Challenge,
    ): Promise<Identity & { readonly idToken: string }> {
      const configuration = await reached(provider, () => configurationOf(provider))
      return refused(provider, log, async () => {
        const tokens = await oidc.authorizationCodeGrant(configuration, returned, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
        })
        const claims = tokens.claims()
        if (claims === undefined || tokens.id_token === undefined) throw new IdpFetchError('there is no ID token')
        const about = await aboutPerson(configuration, tokens.access_token, claims)
        return {
          providerId: provider.id,
          issuer: claims.iss,
          subject: claims.sub,
          name: nameIn(about),
          email: about['email_verified'] === false ? null : textIn(about, 'email'),
          role: roleIn(about, provider.roles),
          idToken: tokens.id_token,
        }
      })
    },

    /** Where a browser is sent to sign out there as well; null: the provider has no such place, or was not reached yet. */
    signOutUrl(provider: IdentityProvider, returnTo: string, idToken: string | null): string | null {
      const configuration = reachedLast.get(provider.id)
      if (configuration?.serverMetadata().end_session_endpoint === undefined) return null
      const hint = idToken === null ? {} : { id_token_hint: idToken }
      return oidc.buildEndSessionUrl(configuration, { post_logout_redirect_uri: returnTo, ...hint }).href
    },

    forget(id: string): void {
      documents.delete(id)
      reachedLast.delete(id)
    },
  }
}

async function discover(provider: IdentityProvider): Promise<oidc.Configuration> {
  const { issuer, clientId, clientSecret } = provider
  const fetch = idpFetch(issuer)
  const isLocal = isLoopback(new URL(issuer).hostname)
  const metadata = { [oidc.clockTolerance]: CLOCK_TOLERANCE_S }
  const configuration = await oidc.discovery(new URL(issuer), clientId, metadata, authenticationOf(clientSecret), {
    [oidc.customFetch]: fetch,
    timeout: TIMEOUT_S,
    execute: [oidc.enableNonRepudiationChecks, ...(isLocal ? [oidc.allowInsecureRequests] : [])],
  })
  const server = configuration.serverMetadata()
  // a token that is signed with what the document does not offer is refused
  const offered = server.id_token_signing_alg_values_supported ?? ['RS256']
  if (!offered.some((algorithm) => ALGORITHMS.includes(algorithm)))
    throw new IdpFetchError(`it signs with ${offered.join(', ')} only, which is not taken`)
  return configuration
}

/** Basic where the document says so or nothing (RFC 8414 section 2), the body where that alone is offered. */
function authenticationOf(secret: string | null): oidc.ClientAuth {
  if (secret === null) return oidc.None()
  const basic = oidc.ClientSecretBasic(secret)
  const post = oidc.ClientSecretPost(secret)
  return (server, ...rest) => {
    const offered = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    return (offered.includes('client_secret_basic') ? basic : post)(server, ...rest)
  }
}

/** The claims of the ID token, with those that the provider tells only when it is asked. */
async function aboutPerson(
  configuration: oidc.Configuration,
  accessToken: string,
  claims: oidc.IDToken,
): Promise<Readonly<Record<string, unknown>>> {
  if (configuration.serverMetadata().userinfo_endpoint === undefined) return claims
  return { ...(await oidc.fetchUserInfo(configuration, accessToken, claims.sub)), ...claims }
}

function nameIn(claims: Readonly<Record<string, unknown>>): string {
  const found = ['preferred_username', 'name', 'email', 'sub']
    .map((claim) => textIn(claims, claim))
    .find((text) => text !== null)
  return found ?? ''
}

const LONGEST_TEXT = 200

/** A claim as one line; null: there is none. */
function textIn(claims: Readonly<Record<string, unknown>>, claim: string): string | null {
  const value = claims[claim]
  if (typeof value !== 'string') return null
  const text = value.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '').trim()
  return text === '' || text.length > LONGEST_TEXT ? null : text
}

async function reached<T>({ name }: IdentityProvider, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (cause) {
    if (cause instanceof GateError || !(cause instanceof Error)) throw cause
    throw new GateError(
      'IDP_UNREACHABLE',
      `the identity provider "${name}" does not answer as it should: ${reasonOf(cause)}`,
      { cause },
    )
  }
}

/** A person is told no more than that it did not work; the log says why. */
async function refused<T>({ name, issuer }: IdentityProvider, log: Log, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (cause) {
    if (cause instanceof GateError || !(cause instanceof Error)) throw cause
    log('warn', 'a sign-in by an identity provider was refused', { url: issuer, error: reasonOf(cause) })
    if (cause instanceof oidc.AuthorizationResponseError && cause.error === 'access_denied')
      throw new GateError('SIGN_IN_REFUSED', `"${name}" did not let you in, or you gave up; begin again`, { cause })
    throw new GateError(
      'SIGN_IN_REFUSED',
      `the answer of "${name}" is not valid, so you are not signed in; begin again`,
      { cause },
    )
  }
}

/** The reason without what a provider writes, which may be long or hold a token. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  const code = 'code' in error ? ` (${String(error.code)})` : ''
  const deeper = cause instanceof Error && cause.message !== error.message ? `: ${cause.message}` : ''
  return `${error.message}${code}${deeper}`.slice(0, 300)
}
