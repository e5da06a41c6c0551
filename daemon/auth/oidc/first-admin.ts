import type { Users } from '../users.ts'

/** That something has happened which happens once. */
export type Mark = {
  /** @throws GateError STORE_UNAVAILABLE */
  readonly isSet: () => boolean
  /** @throws GateError STORE_UNAVAILABLE */
  readonly set: () => void
}

/**
 * Whether the next new person of an identity provider becomes an administrator: once in the life of a gateway, and only
 * where no other administrator has ever been.
 * @param hasOperator whether the configuration names one, by a token or a password
 */
export function createFirstAdmin(users: Pick<Users, 'hasAdmin' | 'onEvent'>, mark: Mark, hasOperator: () => boolean) {
  let wasThere = false

  /** Also of administrators that are not of a provider, as soon as there is one. */
  function note(): void {
    if (wasThere || !users.hasAdmin()) return
    wasThere = true
    try {
      if (!mark.isSet()) mark.set()
    } catch {
      // a full disk: it is noted again at the next start, as long as the administrator is there
    }
  }
  note()
  users.onEvent(note)

  return {
    /** To be called again once the store can be read. */
    note,
    /** @throws GateError STORE_UNAVAILABLE */
    isOpen(): boolean {
      note()
      return !wasThere && !hasOperator() && !mark.isSet()
    },
  }
}
