import { randomUUID } from 'node:crypto'
import type { EndCause } from '../../../schemas/words/ended.ts'
import { type Scope, scopesIn } from '../../../schemas/words/scopes.ts'
import { mayDo, type Principal } from '../principal.ts'
import { endedToken } from './access-token.ts'
import { isOver, type SignIn, type SignInStore } from './sign-in.ts'
import { createSignInTokens, type Signing, type TokenAnswer } from './sign-in-tokens.ts'

/** Of one person; one more ends the one that was used longest ago. */
const MOST_OF_USER = 50

/** What they need to know of people. */
export type People = {
  /** The same object until something about the person changes; null: there is none, or they were disabled. */
  readonly principalOf: (userId: string, signInId: string) => Principal | null
  readonly emailOf: (userId: string) => string | null
}

/** `principal`: made of `person`, with the rights that were asked for. */
type Live = { signIn: SignIn; person: Principal | null; principal: Principal | null }

export type SignIns = ReturnType<typeof createSignIns>

/**
 * The sign-ins in memory, in front of their store: a look-up reads no database, an end holds at once.
 * @param now Unix milliseconds
 */
export function createSignIns(store: SignInStore, people: People, initial: Signing, now: () => number) {
  const live = new Map<string, Live>()
  const tokens = createSignInTokens(initial, now)
  /** Ended, and still in the store, which failed. */
  const unremoved = new Set<string>()
  let onEnded: (signInId: string, why: EndCause) => void = () => {}

  function load(): void {
    for (const signIn of store.all())
      if (!unremoved.has(signIn.id)) live.set(signIn.id, { signIn, person: null, principal: null })
  }
  load()

  function end(id: string, why: EndCause): boolean {
    if (!live.delete(id)) return false
    unremoved.add(id)
    onEnded(id, why) // in memory it has ended, whatever the disk says
    store.remove(id)
    unremoved.delete(id)
    return true
  }

  /** Each of them, also when the store fails. @throws the first error, afterwards */
  function endEach(ids: readonly string[], why: EndCause): void {
    const errors: unknown[] = []
    for (const id of ids)
      try {
        end(id, why)
      } catch (error) {
        errors.push(error)
      }
    if (errors.length > 0) throw errors[0]
  }

  const idsOf = (isMeant: (signIn: SignIn) => boolean): readonly string[] =>
    [...live.values()].flatMap(({ signIn }) => (isMeant(signIn) ? [signIn.id] : []))

  function principalOf(entry: Live): Principal | null {
    const { id, userId, scopes } = entry.signIn
    const person = people.principalOf(userId, id)
    if (person !== entry.person) {
      entry.person = person
      entry.principal = person === null ? null : narrowed(person, scopes)
    }
    return entry.principal
  }

  function answerFor(signIn: SignIn, principal: Principal): TokenAnswer {
    return tokens.answerFor(signIn, [...principal.scopes].join(' '), people.emailOf(signIn.userId))
  }

  return {
    /** A person let a device in. @returns null when the person is not there any more, or disabled */
    begin(userId: string, clientId: string | null, label: string, scope: string | null): TokenAnswer | null {
      const at = now()
      const signIn = {
        id: randomUUID(),
        userId,
        clientId,
        label,
        scopes: scope === null ? null : scopesIn(scope),
        generation: 0,
        createdAt: at,
        usedAt: at,
      }
      const entry: Live = { signIn, person: null, principal: null }
      const principal = principalOf(entry)
      if (principal === null) return null
      const others = [...live.values()].map((other) => other.signIn).filter((other) => other.userId === userId)
      if (others.length >= MOST_OF_USER) {
        const oldest = others.reduce((a, b) => (b.usedAt < a.usedAt ? b : a))
        end(oldest.id, 'revoked')
      }
      store.put(signIn)
      live.set(signIn.id, entry)
      return answerFor(signIn, principal)
    },

    /**
     * Replaces a refresh token. One that was replaced before is in two hands, so that the sign-in ends for both
     * (RFC 9700 section 4.14.2). @returns null when it does not count
     */
    refresh(token: string, clientId: string | null): TokenAnswer | null {
      const known = tokens.readRefresh(token)
      const entry = known === null ? undefined : live.get(known.id)
      if (known === null || entry === undefined || entry.signIn.clientId !== clientId) return null
      if (known.generation !== entry.signIn.generation || isOver(entry.signIn, now())) {
        end(known.id, known.generation === entry.signIn.generation ? 'expired' : 'revoked')
        return null
      }
      const principal = principalOf(entry)
      if (principal === null) return null
      const next = { ...entry.signIn, generation: known.generation + 1, usedAt: now() }
      store.put(next)
      entry.signIn = next
      return answerFor(next, principal)
    },

    /** Whom an access token stands for; null when it is none of ours. @throws GateError INVALID_KEY when it has ended */
    find(token: string): Principal | null {
      const id = tokens.signInOf(token)
      return id === null ? null : principalIn(id)
    },

    /** Whose access token a witness is of; null when it is none of ours. @throws GateError INVALID_KEY when it has ended */
    witnessed(witness: string): Principal | null {
      const id = tokens.signInWitnessed(witness)
      return id === null ? null : principalIn(id)
    },

    /** RFC 7009: ends the sign-in that an access or refresh token belongs to. */
    revokeToken(token: string): void {
      const id = tokens.signInNamed(token)
      if (id !== null) end(id, 'signed-out')
    },

    /** @param userId only of this person; null: of anyone @returns false when there is no such one */
    end(id: string, userId: string | null, why: EndCause = 'revoked'): boolean {
      const entry = live.get(id)
      if (entry === undefined || (userId !== null && entry.signIn.userId !== userId)) return false
      return end(id, why)
    },

    /** A person is gone. */
    endAllOf: (userId: string, why: EndCause): void =>
      endEach(
        idsOf((signIn) => signIn.userId === userId),
        why,
      ),

    /** Devices are let in no more. @returns how many there were @throws GateError STORE_UNAVAILABLE, afterwards */
    endAll(why: EndCause): number {
      const ids = idsOf(() => true)
      endEach(ids, why)
      return ids.length
    },

    list: (userId: string | null): readonly SignIn[] =>
      [...live.values()].map(({ signIn }) => signIn).filter((signIn) => userId === null || signIn.userId === userId),

    /** Takes over what is stored, once it can be read. */
    load,

    /**
     * Ends what was not used for long, and removes what the store failed to remove before.
     * @throws GateError STORE_UNAVAILABLE, after each has ended in memory
     */
    endExpired(): void {
      const at = now()
      endEach(
        idsOf((signIn) => isOver(signIn, at)),
        'expired',
      )
      for (const id of unremoved) {
        store.remove(id)
        unremoved.delete(id)
      }
    },

    /** Takes over another secret or issuer: what was signed before does not count any more. */
    apply: tokens.apply,

    /** Calls back with each sign-in that ends while the daemon runs. */
    whenEnded(listener: (signInId: string, why: EndCause) => void): void {
      onEnded = listener
    },
  }

  function principalIn(id: string): Principal {
    const entry = live.get(id)
    const principal = entry === undefined ? null : principalOf(entry)
    if (principal === null) throw endedToken('the sign-in has ended; sign in again')
    return principal
  }
}

/** A person with no more rights than were asked for. */
function narrowed(person: Principal, scopes: readonly Scope[] | null): Principal {
  if (scopes === null) return person
  return { ...person, scopes: new Set(scopes.filter((scope) => mayDo(person.scopes, scope))) }
}
