import { randomBytes } from 'node:crypto'
import type { Config } from '../../schemas/config/config.ts'
import type { Ended } from '../../schemas/words/ended.ts'
import { GateError } from '../../schemas/words/errors.ts'
import { CALLBACK_PATH } from '../../schemas/words/sign-in.ts'
import { guarded } from '../../system/background.ts'
import { beginSession } from '../admin/begin-session.ts'
import type { Caller } from '../admin/route.ts'
import { decideOnDevice, deviceWithCode } from '../auth/device/decide.ts'
import { createDeviceGrants } from '../auth/device/grants.ts'
import { createSignIns } from '../auth/device/sign-ins.ts'
import { answerTokenRequest, type TokenRequest } from '../auth/device/token-endpoint.ts'
import { createFirstAdmin } from '../auth/oidc/first-admin.ts'
import { pendingSignIns } from '../auth/oidc/pending.ts'
import { createProvidedPeople } from '../auth/oidc/provided-people.ts'
import type { Identity, IdentityProvider } from '../auth/oidc/provider.ts'
import { createProviders } from '../auth/oidc/providers.ts'
import { createRelyingParty } from '../auth/oidc/relying-party.ts'
import { createOidcSignIn } from '../auth/oidc/sign-in.ts'
import { createPasskeys } from '../auth/passkey/passkeys.ts'
import type { Principal } from '../auth/principal.ts'
import { sessionCookies } from '../auth/session-cookie.ts'
import { endWithdrawn, PASSKEY_MODES } from '../auth/withdrawn.ts'
import type { Ground } from './ground.ts'
import type { Storage } from './storage.ts'

export type SignInPlane = ReturnType<typeof createSignInPlane>

/** How often it is looked at which sign-ins were not used for long. */
const EXPIRY_CHECK_MS = 600_000
/** Of sessions, to sign out at the provider without a question; what is forgotten is asked there. */
const MOST_ID_TOKENS = 2_000
const PENDING_PLACE = ['oidc_auth_state', 'cookie'] as const

/** How people sign in elsewhere than by a password, and how they let devices in. */
export function createSignInPlane(
  { config, keyring, log, now, monotonic }: Pick<Ground, 'config' | 'keyring' | 'log' | 'now' | 'monotonic'>,
  { access, audit, signInStores: stores }: Pick<Storage, 'access' | 'audit' | 'signInStores'>,
) {
  const { users } = access
  const cookies = sessionCookies(now)
  const text = () => randomBytes(32).toString('base64url')
  const oneOfThisRun = text()
  let origin = originOf(config.current(), [])
  let listed: readonly string[] = []
  const idTokens = new Map<string, string>()
  const signing = ({ auth: { jwt } }: Config) => ({
    secret: jwt.secret ?? stores.secret('access-token', () => oneOfThisRun),
    issuer: jwt.issuer,
  })
  const takesProviders = () => [config.current().auth.mode].flat().includes('oidc')
  const takesPasskeys = () => [config.current().auth.mode].flat().some((mode) => PASSKEY_MODES.includes(mode))
  const providers = createProviders(stores.idps, declaredIn(config.current()))
  const relyingParty = createRelyingParty(log, monotonic)
  const grants = createDeviceGrants(randomBytes, now)
  const people = {
    principalOf: (userId: string, signInId: string) => access.personOf(userId, 'access-token', signInId),
    emailOf: (userId: string) => users.get(userId)?.email ?? users.get(userId)?.name ?? null,
  }
  const signIns = createSignIns(stores.signIns, people, signing(config.current()), now)
  const sealing = {
    seal: (plain: string) => keyring.seal(PENDING_PLACE, plain),
    unseal: (sealed: Buffer) => keyring.unseal(PENDING_PLACE, sealed),
  }
  const oidc = createOidcSignIn({
    providers,
    relyingParty,
    pending: pendingSignIns(sealing, stores.states, now),
    random: text,
    origin: () => origin,
    isOn: takesProviders,
  })
  const passkeys = createPasskeys(stores.passkeys, () => origin, now, takesPasskeys)
  const firstAdmin = createFirstAdmin(users, stores.firstAdmin, () => {
    const { auth } = config.current()
    return auth.token !== undefined || auth.password_hash !== undefined
  })
  const provided = createProvidedPeople({
    users,
    mayBeFirst: firstAdmin.isOpen,
    endAllOf: [signIns.endAllOf, access.sessions.endAll],
    log,
  })
  const withdraw = ({ auth: { mode, password_hash: passwordHash } }: Config) => {
    if (!stores.isOpen()) return // all of it is looked at once there is room
    const { sessions } = access
    const kept = { users, sessions, signIns, passkeys, note: stores.passwordNote, log }
    endWithdrawn(kept, { modes: [mode].flat(), passwordHash })
  }
  stores.whenOpened(() => {
    firstAdmin.note()
    passkeys.load()
    providers.load()
    signIns.load()
    signIns.apply(signing(config.current()))
    withdraw(config.current())
  })
  withdraw(config.current())
  users.onEvent(({ id, kind }) => {
    if (kind === 'removed') passkeys.forgetUser(id)
    if (kind === 'removed') signIns.endAllOf(id, 'removed')
    else if (users.get(id)?.disabledAt != null) signIns.endAllOf(id, 'disabled')
  })
  const endExpired = guarded(log, 'sign-ins of devices that have ended could not be removed', signIns.endExpired)
  const expiry = setInterval(endExpired, EXPIRY_CHECK_MS).unref()

  return {
    passkeys,
    providers,
    relyingParty,
    grants,
    signIns,
    oidc,
    exchange: (request: TokenRequest) => answerTokenRequest(grants, signIns, request),
    /** For the page where codes are entered. */
    deviceWithCode: (principal: Principal, userCode: string) => deviceWithCode(grants, principal, userCode),
    decide: (principal: Principal, userCode: string, decision: 'approve' | 'deny') =>
      decideOnDevice(grants, principal, userCode, decision),
    origin: () => origin,
    redirectUri: () => `${origin}${CALLBACK_PATH}`,
    /** Whether `auth.mode` takes the word of identity providers. */
    takesProviders,
    /** Whether `auth.mode` lets devices in. */
    letsDevicesIn: () => [config.current().auth.mode].flat().includes('device'),

    /** @returns the values of Set-Cookie @throws GateError SIGN_IN_REFUSED, TOO_MANY_ENTRIES, STORE_UNAVAILABLE */
    letIn(
      identity: Identity & { readonly idToken: string },
      { caller, agent }: { readonly caller: Caller; readonly agent: string },
    ): readonly string[] {
      const from = { address: caller.address, via: caller.via }
      const who = { via: 'session', id: '', name: identity.name } as const
      audit.require()
      if (identity.role === 'none') {
        provided.leftGroups(identity)
        audit.record({
          who,
          action: 'login',
          object: `idp:${identity.providerId}`,
          from,
          outcome: 'refused',
          reason: 'in no group',
        })
        throw new GateError('SIGN_IN_REFUSED', 'you are known, but in none of the groups that are let in')
      }
      const user = provided.personOf(identity)
      const signedIn = { userId: user.id, via: 'oidc', idp: identity.providerId }
      const { session, headers } = beginSession({ access, cookies }, signedIn, {
        caller,
        headers: { 'user-agent': agent },
      })
      idTokens.set(session.id, identity.idToken)
      const [oldest] = idTokens.keys()
      if (idTokens.size > MOST_ID_TOKENS && oldest !== undefined) idTokens.delete(oldest)
      audit.record({
        who: { ...who, id: user.id, name: user.name },
        action: 'login',
        object: `idp:${identity.providerId}`,
        from,
        outcome: 'done',
      })
      return [headers['set-cookie']]
    },

    /** Where a browser signs out at the provider of its session as well; null: nowhere. */
    leaveProvider({ id, idp }: { readonly id: string; readonly idp: string | null }): string | null {
      const provider = idp === null ? undefined : providers.get(idp)
      const idToken = idTokens.get(id) ?? null
      idTokens.delete(id)
      return provider === undefined ? null : relyingParty.signOutUrl(provider, `${origin}/login`, idToken)
    },

    /** Calls back with each sign-in of a device that ends. */
    whenEnded: (listener: (ended: Ended) => void): void =>
      signIns.whenEnded((id, why) => listener({ kind: 'credential', id, why })),

    /** From now on clients are listened for there. */
    served(urls: readonly string[]): void {
      listed = urls
      origin = originOf(config.current(), listed)
    },
    apply(next: Config): void {
      origin = originOf(next, listed)
      providers.declare(declaredIn(next))
      signIns.apply(signing(next))
      withdraw(next)
    },
    stop: async (): Promise<void> => clearInterval(expiry),
  }
}

/** Where browsers reach Gate: as configured, else where it listens; never what a request says. */
function originOf({ server }: Config, urls: readonly string[]): string {
  const [first = `http://${server.host}:${server.port}`] = urls
  return new URL(server.external_url ?? first).origin
}

function declaredIn({ auth }: Config): readonly IdentityProvider[] {
  return Object.entries(auth.oidc).map(
    ([id, { issuer, client_id, client_secret, scopes, claim, roles, otherwise }]) => ({
      id,
      name: id,
      issuer,
      clientId: client_id,
      clientSecret: client_secret ?? null,
      scopes,
      roles: { claim, groups: roles, otherwise },
      isDeclared: true,
    }),
  )
}
