import { addressBlock } from '../../../schemas/words/address.ts'
import type { Argon2Cost, PasswordHash } from '../../../syntax/phc/phc.ts'
import { createAttempts } from '../attempts.ts'
import { dummyHash, type Hasher, LONGEST_PASSWORD, USUAL_COST, usableHash } from './hasher.ts'

/** Whose password is known. */
export type PasswordAccounts = {
  /**
   * @param name in any case
   * @returns the text of the hash, and whose it is, asked once the password is right, as it may make the user; undefined
   * where there is none
   */
  readonly named: (name: string) => { readonly userId: () => string; readonly passwordHash: string } | undefined
  /** Cost of a hash that is not of Gate's own making, such as `auth.password_hash`. */
  readonly foreignCost: () => Argon2Cost | undefined
}

export type Passwords = ReturnType<typeof createPasswords>

/** From however many addresses, one account is tried at this pace at most. */
const BY_ACCOUNT = { free: 10, firstMs: 1_000, longestMs: 60_000 }
/** Several people may share an address. */
const BY_CLIENT = { free: 20, firstMs: 1_000, longestMs: 900_000 }
/** Those who have signed in from an address are not kept out by others who guess. */
const MOST_KNOWN = 1_000
const LONGEST_NAME = 200

/**
 * Checks passwords. That a name is unknown shows nowhere: the same work is done for it, the same limits hold, and the
 * answer is the same.
 * @param now monotonic milliseconds
 */
export function createPasswords(accounts: PasswordAccounts, hasher: Pick<Hasher, 'check'>, now: () => number) {
  const byAccount = createAttempts(BY_ACCOUNT, now)
  const byClient = createAttempts(BY_CLIENT, now)
  const known = new Set<string>()
  const usualDummy = dummyHash(USUAL_COST)
  let foreignDummy: PasswordHash | undefined

  /** One hash of each cost that there is, in their order, so that each check does the same work. */
  function hashesFor(own: PasswordHash | undefined): readonly PasswordHash[] {
    const cost = accounts.foreignCost()
    if (cost === undefined || isSame(cost, USUAL_COST)) return [own ?? usualDummy]
    if (foreignDummy === undefined || !isSame(foreignDummy, cost)) foreignDummy = dummyHash(cost)
    return own !== undefined && isSame(own, cost) ? [usualDummy, own] : [own ?? usualDummy, foreignDummy]
  }

  function remember(pair: string): void {
    known.delete(pair)
    known.add(pair)
    const [oldest] = known
    if (known.size > MOST_KNOWN && oldest !== undefined) known.delete(oldest)
  }

  return {
    /**
     * Whose name and password these are.
     * @param address of the client
     * @returns the user's id; null where name or password is wrong
     * @throws GateError TOO_MANY_REQUESTS, with the seconds to wait; TOO_MANY_ENTRIES, STORE_UNAVAILABLE
     */
    async verify(name: string, password: string, address: string): Promise<string | null> {
      const client = addressBlock(address)
      const account = name.slice(0, LONGEST_NAME).toLowerCase()
      const pair = `${client} ${account}`
      const guessed = known.has(pair) ? `known ${pair}` : `any ${account}`
      const takeBackOfClient = byClient.begin(client)
      let takeBackOfAccount: () => void
      try {
        // of those who have signed in here before, mistakes are counted by themselves
        takeBackOfAccount = byAccount.begin(guessed)
      } catch (error) {
        takeBackOfClient()
        throw error
      }
      const found = name.length > LONGEST_NAME ? undefined : accounts.named(name)
      const own = found === undefined ? undefined : usableHash(found.passwordHash)
      const hashes = hashesFor(own)
      const isTooLong = password.length > LONGEST_PASSWORD
      const index = await hasher.check(isTooLong ? '' : password, hashes).catch((error: unknown) => {
        takeBackOfClient()
        takeBackOfAccount()
        throw error
      })
      const isRight = index !== -1 && hashes[index] === own && !isTooLong
      if (!isRight || found === undefined) return null
      takeBackOfClient() // and no more: who has an account guesses those of others no faster
      byAccount.succeeded(guessed)
      remember(pair)
      return found.userId()
    },
  }
}

function isSame(one: Argon2Cost, other: Argon2Cost): boolean {
  return one.memoryKib === other.memoryKib && one.passes === other.passes && one.lanes === other.lanes
}
