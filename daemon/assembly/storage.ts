import { join } from 'node:path'
import { openDatabase } from '../../store/sqlite/database.ts'
import { openTokenStore } from '../../store/sqlite/token-store.ts'
import { openUsageJournal } from '../../store/usage-journal/journal.ts'
import { createTokens } from '../auth/tokens.ts'
import { createLedger } from '../meter/ledger.ts'
import type { Ground } from './ground.ts'

export type Storage = ReturnType<typeof openStorage>

/** Keys and usage rows, with the database and the journal that hold them. @throws Error when the database is damaged */
export function openStorage({
  stateDirectory,
  log,
  now,
  monotonic,
}: Pick<Ground, 'stateDirectory' | 'log' | 'now' | 'monotonic'>) {
  const path = join(stateDirectory, 'gate.db')
  const database = openDatabase(path)
  const tokens = createTokens(openTokenStore(database), now)
  const journal = openUsageJournal(path, log)
  const ledger = createLedger({ store: journal, log, now: monotonic })
  return {
    path,
    tokens,
    ledger,
    /** Why rows cannot be written or imported right now; null while they can. */
    lastError: () => ledger.lastError() ?? journal.lastError(),
    /** Writes what is left. Call after the last request. */
    async stop(): Promise<void> {
      const lost = ledger.close()
      if (lost > 0) log('error', 'usage rows could not be written and are lost', { count: lost })
      await journal.close()
      database.close()
    },
  }
}
