import { GateError } from '../../../schemas/words/errors.ts'
import type { Proof } from '../../../schemas/words/proofs.ts'
import type { Role } from '../../../schemas/words/roles.ts'
import type { Access } from '../access.ts'
import type { Principal } from '../principal.ts'
import type { UserRecord } from '../users.ts'

/** Whom something else than a credential has proved. */
export type Seen = {
  readonly via: Extract<Proof, 'proxy' | 'tailscale'>
  /** What they are called there, for good. */
  readonly subject: string
  readonly name: string
  readonly email: string | null
  readonly role: Role
  /** The role is that of the first time, until an operator changes it. */
  readonly isRoleKept: boolean
}

export type People = {
  /**
   * The person as a principal; made at the first sight of them.
   * @throws GateError SIGN_IN_REFUSED for one who was disabled, TOO_MANY_ENTRIES, STORE_UNAVAILABLE
   */
  readonly seen: (seen: Seen) => Principal
}

const MOST_IDS = 10_000

/** The people of a gateway, for those that find them without a credential. */
export function createPeople({ users, personOf }: Pick<Access, 'users' | 'personOf'>): People {
  /** Ids by source and subject: looking through all people takes long. */
  const ids = new Map<string, string>()

  function userOf({ via, subject, name, email, role }: Seen): UserRecord {
    const key = `${via} ${subject}`
    const known = users.get(ids.get(key) ?? '')
    if (known !== undefined) return known
    const user = users.seen({ source: via, subject, name, email, role })
    if (ids.size >= MOST_IDS) ids.clear()
    ids.set(key, user.id)
    return user
  }

  return {
    seen(seen) {
      const { via, email, role, isRoleKept } = seen
      const user = userOf(seen)
      const isOther = (!isRoleKept && user.role !== role) || (email !== null && user.email !== email)
      if (isOther) users.change(user.id, { email: email ?? user.email, ...(!isRoleKept && { role }) })
      const principal = personOf(user.id, via, `${via}:${user.id}`)
      if (principal === null) throw new GateError('SIGN_IN_REFUSED', 'this user was disabled')
      return principal
    },
  }
}
