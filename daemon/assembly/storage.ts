import { join } from 'node:path'
import type { Log } from '../../schemas/words/log.ts'
import { sealingKey } from '../../store/sealed/sealing-key.ts'
import { refuseDamaged } from '../../store/sqlite/check.ts'
import { checkLater } from '../../store/sqlite/check-later.ts'
import { openDatabase } from '../../store/sqlite/database.ts'
import { openObjectStore } from '../../store/sqlite/object-store.ts'
import { readUsage } from '../../store/sqlite/read-usage.ts'
import { openResponseStore } from '../../store/sqlite/response-store.ts'
import { openTokenStore } from '../../store/sqlite/token-store.ts'
import { openUsageJournal } from '../../store/usage-journal/journal.ts'
import { createTokens } from '../auth/tokens.ts'
import { createLedger } from '../meter/ledger.ts'
import type { Ground } from './ground.ts'

export type Storage = ReturnType<typeof openStorage>

/**
 * Keys and usage rows, with the database and the journal that hold them.
 * @throws Error that says what to do, when the database is damaged
 */
export function openStorage({
  stateDirectory,
  env,
  log,
  now,
  monotonic,
}: Pick<Ground, 'stateDirectory' | 'env' | 'log' | 'now' | 'monotonic'>) {
  const path = join(stateDirectory, 'gate.db')
  const isWhole = refuseDamaged(path)
  const database = openDatabase(path)
  let fault: string | null = null
  const check = isWhole ? null : checkLater(path, reportFaults)
  const tokens = createTokens(openTokenStore(database), now)
  const journal = openUsageJournal(path, log)
  const answers = openAnswers(stateDirectory, env['CREDENTIALS_DIRECTORY'], log)
  const ledger = createLedger({ store: journal, log, now: monotonic })

  function reportFaults([first]: readonly string[]): void {
    if (first === undefined) return
    fault = first
    log('error', 'the database is damaged; keys still work, usage may be lost', { file: path, error: first })
  }

  return {
    path,
    tokens,
    ledger,
    answers: answers.store,
    objects: answers.objects,
    /** Why rows cannot be written or imported right now; null while they can. */
    lastError: () => ledger.lastError() ?? journal.lastError() ?? fault,
    /** What was used from `since` on, Unix milliseconds. @throws Error why it cannot be read */
    async usage(since: number, signal: AbortSignal) {
      const reason = await journal.importNow().then(
        () => undefined,
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      )
      const report = await readUsage(path, since, signal)
      return reason === undefined ? report : { ...report, incomplete: reason }
    },
    /** Writes what is left. Call after the last request. */
    async stop(): Promise<void> {
      await check?.stop()
      const lost = ledger.close()
      if (lost > 0) log('error', 'usage rows could not be written and are lost', { count: lost })
      await journal.close()
      database.close()
      answers.close()
    },
  }
}

/** Without a file or a key for them, nothing is kept of answers, and everything else works. */
function openAnswers(stateDirectory: string, credentialsDirectory: string | undefined, log: Log) {
  const file = join(stateDirectory, 'responses.db')
  try {
    const store = openResponseStore(file, sealingKey(stateDirectory, credentialsDirectory))
    const objects = openObjectStore(file)
    const close = () => {
      objects.close()
      store.close()
    }
    return { store, objects, close }
  } catch (error) {
    log('error', 'answers cannot be kept', { file, error: String(error) })
    const fail = () => {
      throw new Error('answers cannot be kept: see the log of the start')
    }
    return {
      store: { put: fail, get: fail, remove: fail, trim: fail },
      objects: { put: fail, find: fail, has: fail, remove: fail, upstreamsOf: fail },
      close: () => {},
    }
  }
}
