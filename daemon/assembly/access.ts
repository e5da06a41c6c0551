import { GateError } from '../../schemas/words/errors.ts'
import type { Log } from '../../schemas/words/log.ts'
import { openAccessStore } from '../../store/sqlite/access-store.ts'
import { type Opened, openWhenRoom, readAccess } from '../../store/sqlite/open-when-room.ts'
import type { AccessStore } from '../auth/access.ts'

/** How often a database on a full disk is tried again. */
const TRY_AGAIN_MS = 1_000

const REFUSAL = 'usage cannot be recorded: the disk of the state directory was full when Gate started'

type Open = Extract<Opened, { readonly kind: 'open' }>

/**
 * People, keys and sessions in the database. On a full disk those that there are count, none can be made or changed, and
 * the database is opened when there is room.
 * @param opened is told of the database as soon as it is open
 * @throws Error that says what to do, when it cannot be opened for any other reason
 */
export function openAccess(file: string, log: Log, opened: (open: Open) => void) {
  let database: Open['database'] | null = null
  let retry: NodeJS.Timeout | null = null
  /** Why it is not open, in words for operators. */
  let error: string | null = null
  let store: AccessStore

  function use(open: Open): AccessStore {
    try {
      const made = openAccessStore(open.database)
      database = open.database
      error = null
      opened(open)
      return made
    } catch (failure) {
      open.database.close() // it is opened again and again
      throw failure
    }
  }

  function tryAgain(): void {
    try {
      const now = openWhenRoom(file)
      if (now.kind === 'full') return
      store = use(now)
      if (retry !== null) clearInterval(retry)
      log('info', 'there is room on the disk of the state directory again', { file })
    } catch (failure) {
      const reason = failure instanceof Error ? failure.message : String(failure)
      if (reason !== error)
        log('error', 'there is room again, but the database cannot be opened', { file, error: reason })
      error = reason
    }
  }

  const first = openWhenRoom(file)
  if (first.kind === 'open') store = use(first)
  else {
    store = closedStore(file)
    error = first.error.message
    retry = setInterval(tryAgain, TRY_AGAIN_MS).unref()
    log('error', 'the disk of the state directory is full: keys work, but requests are refused until there is room', {
      file,
      error,
    })
  }

  return {
    store: {
      tokens: forwarding(TOKEN_CALLS, () => store.tokens),
      users: forwarding(USER_CALLS, () => store.users),
      teams: forwarding(TEAM_CALLS, () => store.teams),
      sessions: forwarding(SESSION_CALLS, () => store.sessions),
    } satisfies AccessStore,
    /** Why nothing can be written, in words for clients; null when it is open. */
    refusal: () => (error === null ? null : REFUSAL),
    /** The same in words for operators. */
    lastError: () => error,
    close(): void {
      if (retry !== null) clearInterval(retry)
      database?.close()
    },
  }
}

const TOKEN_CALLS = ['all', 'insert', 'update', 'revoke', 'previous', 'rotate'] as const
const USER_CALLS = ['all', 'insert', 'update', 'remove'] as const
const TEAM_CALLS = ['all', 'insert', 'rename', 'remove', 'addMember', 'removeMember'] as const
const SESSION_CALLS = ['all', 'insert', 'remove', 'renew', 'seen'] as const

/** The calls of a store, each to the one that there is at that moment. */
function forwarding<T extends { readonly [C in Call]: (...all: never[]) => unknown }, Call extends string & keyof T>(
  calls: readonly Call[],
  current: () => T,
): Pick<T, Call> {
  const forward = (call: Call) => [call, (...all: never[]) => current()[call](...all)] as const
  return Object.fromEntries(calls.map(forward)) as Pick<T, Call>
}

/** @throws Error when the database cannot be read */
function closedStore(file: string): AccessStore {
  const read = readAccess(file)
  const fail = () => {
    throw new GateError('STORE_UNAVAILABLE', `${file} cannot be written: its disk is full; free space on it`)
  }
  return {
    tokens: {
      all: () => read.tokens,
      previous: () => read.previous,
      insert: fail,
      update: fail,
      revoke: fail,
      rotate: fail,
    },
    users: { all: () => read.users, insert: fail, update: fail, remove: fail },
    teams: { all: () => read.teams, insert: fail, rename: fail, remove: fail, addMember: fail, removeMember: fail },
    sessions: { all: () => read.sessions, insert: fail, remove: fail, renew: fail, seen: fail },
  }
}
