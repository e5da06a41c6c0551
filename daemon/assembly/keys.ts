import { GateError } from '../../schemas/words/errors.ts'
import type { Log } from '../../schemas/words/log.ts'
import { type Opened, openWhenRoom, readTokens } from '../../store/sqlite/open-when-room.ts'
import { openTokenStore } from '../../store/sqlite/token-store.ts'
import type { TokenStore } from '../auth/tokens.ts'

/** How often a database on a full disk is tried again. */
const TRY_AGAIN_MS = 1_000

const REFUSAL = 'usage cannot be recorded: the disk of the state directory was full when Gate started'

type Open = Extract<Opened, { readonly kind: 'open' }>

/**
 * The keys in the database. On a full disk those that there are count, none can be made or revoked, and the database is
 * opened when there is room.
 * @param opened is told of the database as soon as it is open
 * @throws Error that says what to do, when it cannot be opened for any other reason
 */
export function openKeys(file: string, log: Log, opened: (open: Open) => void) {
  let database: Open['database'] | null = null
  let retry: NodeJS.Timeout | null = null
  /** Why it is not open, in words for operators. */
  let error: string | null = null
  let store: TokenStore

  function use(open: Open): TokenStore {
    try {
      const made = openTokenStore(open.database)
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
    all: () => store.all(),
    insert: (...all: Parameters<TokenStore['insert']>) => store.insert(...all),
    revoke: (...all: Parameters<TokenStore['revoke']>) => store.revoke(...all),
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

/** @throws Error when the keys cannot be read */
function closedStore(file: string): TokenStore {
  const all = readTokens(file)
  const fail = () => {
    throw new GateError('STORE_UNAVAILABLE', `${file} cannot be written: its disk is full; free space on it`)
  }
  return { all: () => all, insert: fail, revoke: fail }
}
