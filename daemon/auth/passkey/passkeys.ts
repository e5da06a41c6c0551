import { randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import { GateError } from '../../../schemas/words/errors.ts'
import { createChallenges } from './challenges.ts'

/** A passkey of a person. Times are Unix milliseconds. */
export type Passkey = {
  /** Of the credential, base64url. */
  readonly id: string
  readonly userId: string
  readonly name: string
  /** COSE. */
  readonly publicKey: Buffer
  /** How often it has signed, as it says; 0 where it does not count. */
  readonly counter: number
  readonly createdAt: number
  readonly usedAt: number | null
}

/** What passkeys need from storage. */
export type PasskeyStore = {
  readonly all: () => readonly Passkey[]
  /** Adds it, or replaces the one of this id. */
  readonly put: (passkey: Passkey) => void
  readonly remove: (id: string) => void
}

/** `rpId`: the host that passkeys are for; `at`: the origin of its pages. */
type Place = { readonly rpId: string; readonly at: string }

export type Passkeys = ReturnType<typeof createPasskeys>

const MOST_OF_A_USER = 20
const TIMEOUT_MS = 120_000

/**
 * Passkeys (WebAuthn), which prove a person by themselves: the authenticator has verified who uses it. Each challenge
 * counts once, for five minutes, and for the person whom it was made for.
 * @param origin where browsers reach Gate; its host is the one that passkeys are for
 * @param now Unix milliseconds
 * @param isOn whether `auth.mode` takes more than keys
 * @see https://www.w3.org/TR/webauthn-3/
 */
export function createPasskeys(store: PasskeyStore, origin: () => string, now: () => number, isOn: () => boolean) {
  const byId = new Map<string, Passkey>()
  const challenges = createChallenges(randomBytes(32), now)

  /** @throws GateError SIGN_IN_REFUSED */
  function place(): Place {
    if (!isOn()) throw new GateError('SIGN_IN_REFUSED', 'passkeys are not accepted here: auth.mode takes keys alone')
    const found = placeAt(origin())
    if (found !== null) return found
    throw new GateError('SIGN_IN_REFUSED', 'passkeys need a host name and HTTPS: set server.external_url')
  }

  /** The challenge of one answer, which is used up once the answer was found right. */
  function challengeFor(userId: string | null) {
    let text = ''
    return {
      expect(challenge: string): boolean {
        text = challenge
        return challenges.isOpen(challenge, userId)
      },
      use: (): boolean => challenges.use(text),
    }
  }

  const of = (userId: string) => [...byId.values()].filter((passkey) => passkey.userId === userId)

  return {
    /** Reads them from the store, once that is open. */
    load(): void {
      for (const passkey of store.all()) byId.set(passkey.id, passkey)
    },
    isPossible: (): boolean => isOn() && placeAt(origin()) !== null,
    of,
    /** What a browser needs to make one. @throws GateError SIGN_IN_REFUSED, TOO_MANY_ENTRIES */
    async beginAdding(user: { readonly id: string; readonly name: string }) {
      const own = of(user.id)
      if (own.length >= MOST_OF_A_USER)
        throw new GateError('TOO_MANY_ENTRIES', `you have ${MOST_OF_A_USER} passkeys; remove one first`)
      return generateRegistrationOptions({
        rpName: 'Gate',
        rpID: place().rpId,
        userName: user.name,
        userID: new Uint8Array(Buffer.from(user.id)),
        challenge: challenges.make(user.id),
        timeout: TIMEOUT_MS,
        attestationType: 'none',
        excludeCredentials: own.map(({ id }) => ({ id })),
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      })
    },
    /** @throws GateError SIGN_IN_REFUSED, STORE_UNAVAILABLE */
    async add(userId: string, name: string, response: RegistrationResponseJSON): Promise<Passkey> {
      const { rpId, at } = place()
      const signed = challengeFor(userId)
      const { verified, registrationInfo } = await verifyRegistrationResponse({
        response,
        expectedChallenge: signed.expect,
        expectedOrigin: at,
        expectedRPID: rpId,
        requireUserVerification: true,
      }).catch(refuse)
      if (!verified || registrationInfo === undefined || byId.has(registrationInfo.credential.id)) return refuse()
      if (!signed.use()) return refuse()
      const { id, publicKey, counter } = registrationInfo.credential
      const passkey = { id, userId, name, publicKey: Buffer.from(publicKey), counter, createdAt: now(), usedAt: null }
      store.put(passkey)
      byId.set(id, passkey)
      return passkey
    },
    /** What a browser needs to use one; whose it is shows when it is used. @throws GateError SIGN_IN_REFUSED */
    beginSignIn: async () =>
      generateAuthenticationOptions({
        rpID: place().rpId,
        challenge: challenges.make(null),
        timeout: TIMEOUT_MS,
        userVerification: 'required',
      }),
    /** Whose passkey has signed. @throws GateError SIGN_IN_REFUSED, STORE_UNAVAILABLE */
    async signIn(response: AuthenticationResponseJSON): Promise<string> {
      const { rpId, at } = place()
      const known = byId.get(response.id)
      if (known === undefined) return refuse()
      const { id, publicKey, counter } = known
      const signed = challengeFor(null)
      const { verified, authenticationInfo } = await verifyAuthenticationResponse({
        response,
        expectedChallenge: signed.expect,
        expectedOrigin: at,
        expectedRPID: rpId,
        credential: { id, publicKey: new Uint8Array(publicKey), counter },
        requireUserVerification: true,
      }).catch(refuse)
      if (!verified || byId.get(id) !== known || !signed.use()) return refuse()
      const used = { ...known, counter: authenticationInfo.newCounter, usedAt: now() }
      store.put(used)
      byId.set(id, used)
      return used.userId
    },
    /** @returns false when the person has no such passkey */
    remove(userId: string, id: string): boolean {
      if (byId.get(id)?.userId !== userId) return false
      store.remove(id)
      byId.delete(id)
      return true
    },
    /** @returns how many there were @throws GateError STORE_UNAVAILABLE */
    removeAllOf(userId: string): number {
      const own = of(userId)
      for (const { id } of own) {
        store.remove(id)
        byId.delete(id)
      }
      return own.length
    },
    /** A person was removed, and so were their passkeys in the store. */
    forgetUser(userId: string): void {
      for (const { id } of of(userId)) byId.delete(id)
    },
  }
}

/** Where browsers know passkeys: by a host name over HTTPS, and on localhost. */
function placeAt(origin: string): Place | null {
  const { hostname, protocol } = new URL(origin)
  const isSecure = protocol === 'https:' || hostname === 'localhost'
  return isSecure && isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? { rpId: hostname, at: origin } : null
}

/** The reason is not told: it would help only those who guess. */
function refuse(cause?: unknown): never {
  throw new GateError('SIGN_IN_REFUSED', 'the passkey is not accepted here; try again', { cause })
}
