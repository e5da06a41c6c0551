import { z } from 'zod'
import { oidcBeginQuery } from '../../../schemas/api/idps.ts'
import { type ProviderList, providerList } from '../../../schemas/api/providers.ts'
import { ERRORS, GateError } from '../../../schemas/words/errors.ts'
import { CALLBACK_PATH, SIGN_IN_LIFE_S } from '../../../schemas/words/sign-in.ts'
import { cookiesIn } from '../../../syntax/cookie/cookie.ts'
import type { Identity } from '../../auth/oidc/provider.ts'
import type { Providers } from '../../auth/oidc/providers.ts'
import type { OidcSignIn } from '../../auth/oidc/sign-in.ts'
import { alertOf, framed, ownPath, PAGE_HEADERS } from '../pages/page-frame.ts'
import { json, page, type Reply, redirect } from '../reply.ts'
import { type ApiRequest, type ApiRoute, apiRoute, type Caller } from '../route.ts'

export type OidcParts = {
  readonly providers: Pick<Providers, 'list'>
  readonly takesProviders: () => boolean
  readonly oidc: OidcSignIn
  /**
   * Lets in whom a provider has named, made at the first sight of them.
   * @returns the values of Set-Cookie @throws GateError SIGN_IN_REFUSED, TOO_MANY_ENTRIES, STORE_UNAVAILABLE
   */
  readonly letIn: (
    identity: Identity & { readonly idToken: string },
    from: { readonly caller: Caller; readonly agent: string },
  ) => readonly string[]
}

/** What goes along to a provider and back, whatever path a page of this host has. */
const COOKIE = 'se_signin'

/** Signing in by an identity provider: the list, the way there, the way back. */
export function oidcRoutes({ providers, takesProviders, oidc, letIn }: OidcParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/auth/providers',
      scope: 'public',
      summary: 'Lists the identity providers that people can sign in with',
      answer: providerList,
      handle: () => json(takesProviders() ? listOf(providers) : { providers: [] }),
    }),
    apiRoute({
      method: 'GET',
      path: '/auth/login',
      scope: 'public',
      summary: 'Sends a browser to an identity provider',
      only: 'https',
      query: oidcBeginQuery,
      answer: 'page',
      handle: async ({ query, caller }) => {
        const { location, cookie } = await oidc.begin(query.provider, ownPath(query.return_to))
        return redirect(location, { headers: { 'set-cookie': cookieText(caller, cookie, SIGN_IN_LIFE_S) } })
      },
    }),
    apiRoute({
      method: 'GET',
      path: CALLBACK_PATH,
      scope: 'public',
      summary: 'Takes a browser back from an identity provider',
      only: 'https',
      query: z.looseObject({}),
      answer: 'page',
      handle: (request) => comeBack(request),
    }),
  ]

  /** A person sees what went wrong as a page; the cookie is gone in any case. */
  async function comeBack({
    query,
    headers,
    caller,
  }: ApiRequest<undefined, Readonly<Record<string, unknown>>>): Promise<Reply<never>> {
    const gone = cookieText(caller, '', 0)
    try {
      const returned = new URLSearchParams(
        Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]),
      )
      const identity = await oidc.finish(returned, cookieIn(headers.cookie, cookieName(caller)), caller.address ?? '')
      const cookies = letIn(identity, { caller, agent: headers['user-agent'] ?? '' })
      return redirect(identity.returnTo, { headers: { 'set-cookie': [gone, ...cookies] } })
    } catch (error) {
      if (!(error instanceof GateError)) throw error
      return page(refusalPage(error.message), {
        status: ERRORS[error.code].status,
        headers: { 'set-cookie': gone, ...PAGE_HEADERS },
      })
    }
  }
}

function listOf(providers: Pick<Providers, 'list'>): ProviderList {
  return {
    providers: providers
      .list()
      .map(({ id, name }) => ({ id, name, url: `/auth/login?provider=${encodeURIComponent(id)}` })),
  }
}

/** Only this host gets such a cookie back over HTTPS, whatever its other ports and parent domains set (RFC 6265bis). */
const cookieName = ({ secured }: Caller): string => (secured ? `__Host-${COOKIE}` : COOKIE)

/** Lax: the provider sends the browser here from its own site. */
function cookieText(caller: Caller, value: string, lifeS: number): string {
  const secure = caller.secured ? '; Secure' : ''
  return `${cookieName(caller)}=${value}; Path=/; Max-Age=${lifeS}; HttpOnly; SameSite=Lax${secure}`
}

function cookieIn(header: string | undefined, wanted: string): string | undefined {
  return cookiesIn(header ?? '').find(([name]) => name === wanted)?.[1]
}

function refusalPage(message: string): string {
  return framed('Not signed in', `${alertOf(message)}<p><a href="/login">Back to the sign-in page</a>`)
}
