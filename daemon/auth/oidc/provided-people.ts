import type { EndCause } from '../../../schemas/words/ended.ts'
import type { Log } from '../../../schemas/words/log.ts'
import type { Role } from '../../../schemas/words/roles.ts'
import type { UserRecord, Users } from '../users.ts'
import type { Identity } from './provider.ts'

type Parts = {
  readonly users: Pick<Users, 'known' | 'seen' | 'change' | 'hasAdmin'>
  readonly mayBeFirst: () => boolean
  /** Sessions, and sign-ins of devices. */
  readonly endAllOf: readonly ((userId: string, why: EndCause) => void)[]
  readonly log: Log
}

/** The least that a person can be. */
const LEAST_ROLE = 'viewer'

/** The people of identity providers: who is new, and what the claims of one who is known say now. */
export function createProvidedPeople({ users, mayBeFirst, endAllOf, log }: Parts) {
  const source = 'oidc'
  const knownAs = ({ issuer, subject }: Identity) => users.known(source, `${issuer} ${subject}`)
  const isLastAdmin = ({ role, id }: UserRecord) => role === 'admin' && !users.hasAdmin(id)

  return {
    /**
     * Synchronous from the look to the write, so that two at a time are never both the first.
     * @throws GateError TOO_MANY_ENTRIES, STORE_UNAVAILABLE
     */
    personOf(identity: Identity): UserRecord {
      const { issuer, subject, name, email, role } = identity
      const known = knownAs(identity)
      if (known === undefined) {
        const isFirst = role === null && mayBeFirst()
        if (isFirst)
          log('warn', 'the first person who signed in by an identity provider is an administrator now', { url: issuer })
        return users.seen({
          source,
          subject: `${issuer} ${subject}`,
          name,
          email,
          role: isFirst ? 'admin' : named(role),
        })
      }
      const next = role === null || isLastAdmin(known) ? known.role : named(role)
      return next === known.role && email === known.email ? known : users.change(known.id, { role: next, email })
    },
    /**
     * Someone is in none of the groups any more that are let in: they are signed out everywhere, and their keys count for
     * the least. @throws GateError STORE_UNAVAILABLE, after everything was tried
     */
    leftGroups(identity: Identity): void {
      const known = knownAs(identity)
      if (known === undefined) return
      const errors: unknown[] = []
      const demote = () => {
        if (known.role !== LEAST_ROLE && !isLastAdmin(known)) users.change(known.id, { role: LEAST_ROLE })
      }
      for (const step of [demote, ...endAllOf.map((end) => () => end(known.id, 'revoked'))])
        try {
          step()
        } catch (error) {
          errors.push(error)
        }
      if (errors.length > 0) throw errors[0]
    },
  }
}

const named = (role: Identity['role']): Role => (role === null || role === 'none' ? 'member' : role)
