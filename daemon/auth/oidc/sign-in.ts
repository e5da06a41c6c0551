import { addressBlock } from '../../../schemas/words/address.ts'
import { GateError } from '../../../schemas/words/errors.ts'
import { CALLBACK_PATH } from '../../../schemas/words/sign-in.ts'
import type { pendingSignIns } from './pending.ts'
import type { Identity } from './provider.ts'
import type { Providers } from './providers.ts'
import type { RelyingParty } from './relying-party.ts'

/** Exchanges with providers at once. */
const MOST_EXCHANGES = 16
const MOST_EXCHANGES_OF_CLIENT = 4
const TRY_AGAIN_S = 5

export type OidcSignInParts = {
  readonly providers: Pick<Providers, 'get'>
  readonly relyingParty: Pick<RelyingParty, 'begin' | 'finish'>
  readonly pending: ReturnType<typeof pendingSignIns>
  /** Texts that cannot be guessed. */
  readonly random: () => string
  /** `server.external_url`, or where Gate listens: never what a request says. */
  readonly origin: () => string
  /** Whether `auth.mode` takes the word of identity providers. */
  readonly isOn: () => boolean
}

export type OidcSignIn = ReturnType<typeof createOidcSignIn>

/** Signing in by an identity provider: away to it, and back from it. */
export function createOidcSignIn({ providers, relyingParty, pending, random, origin, isOn }: OidcSignInParts) {
  /** One for each exchange: the client. */
  const exchanges: string[] = []
  const redirectUri = () => `${origin()}${CALLBACK_PATH}`

  function requireOn(): void {
    if (isOn()) return
    const message = 'identity providers are not accepted here: "oidc" is not in auth.mode'
    throw new GateError('SIGN_IN_REFUSED', message)
  }

  return {
    /**
     * @param returnTo a path of Gate's own, for afterwards
     * @returns where the browser goes, and the value of the cookie that it takes along
     * @throws GateError SIGN_IN_REFUSED, OBJECT_NOT_FOUND, IDP_UNREACHABLE
     */
    async begin(providerId: string, returnTo: string): Promise<{ readonly location: string; readonly cookie: string }> {
      requireOn()
      const provider = providers.get(providerId)
      if (provider === undefined) throw new GateError('OBJECT_NOT_FOUND', 'there is no such identity provider')
      const challenge = { state: random(), nonce: random(), verifier: random() }
      const location = await relyingParty.begin(provider, redirectUri(), challenge)
      return {
        location,
        cookie: pending.keep({ ...challenge, provider: provider.id, issuer: provider.issuer, returnTo }),
      }
    },

    /**
     * @param query what the provider had the browser bring
     * @param cookie what it took along
     * @param address of the client
     * @throws GateError SIGN_IN_REFUSED, TOO_MANY_REQUESTS, IDP_UNREACHABLE
     */
    async finish(
      query: URLSearchParams,
      cookie: string | undefined,
      address: string,
    ): Promise<Identity & { readonly idToken: string; readonly returnTo: string }> {
      requireOn()
      const client = addressBlock(address)
      const own = exchanges.filter((other) => other === client).length
      if (exchanges.length >= MOST_EXCHANGES || own >= MOST_EXCHANGES_OF_CLIENT) throw tooMany()
      const states = query.getAll('state')
      const taken = pending.take(cookie, states.length === 1 ? String(states[0]) : '', address)
      if (taken.kind === 'full') throw tooMany()
      if (taken.kind !== 'taken') throw new GateError('SIGN_IN_REFUSED', REASONS[taken.kind])
      const { provider: id, issuer, returnTo, ...challenge } = taken.pending
      const provider = providers.get(id)
      if (provider === undefined || provider.issuer !== issuer)
        throw new GateError('SIGN_IN_REFUSED', 'the identity provider was changed meanwhile; begin again')
      const returned = new URL(redirectUri())
      returned.search = query.toString()
      exchanges.push(client)
      try {
        return { ...(await relyingParty.finish(provider, returned, challenge)), returnTo }
      } finally {
        exchanges.splice(exchanges.indexOf(client), 1)
      }
    },
  }
}

const REASONS = {
  unknown: 'this sign-in was not begun in this browser, or another one was begun since; begin again',
  expired: 'the sign-in took longer than ten minutes; begin again',
  used: 'this sign-in was finished before; begin again',
} as const

const tooMany = (): GateError =>
  new GateError('TOO_MANY_REQUESTS', 'too many people sign in at this moment; try again', { retryAfterS: TRY_AGAIN_S })
