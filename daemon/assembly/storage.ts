import { uptime } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { GateError } from '../../schemas/words/errors.ts'
import type { AuditHead } from '../../store/sqlite/audit-chain.ts'
import type { AuditWanted } from '../../store/sqlite/audit-page.ts'
import { openAuditStore } from '../../store/sqlite/audit-store.ts'
import { checkLater } from '../../store/sqlite/check-later.ts'
import { DATABASES } from '../../store/sqlite/database-names.ts'
import { openHoldStore } from '../../store/sqlite/hold-store.ts'
import { checkAudit, readAuditPage } from '../../store/sqlite/read-audit.ts'
import { createReadTurns } from '../../store/sqlite/read-turns.ts'
import { readUsage } from '../../store/sqlite/read-usage.ts'
import { openRefillStore } from '../../store/sqlite/refill-store.ts'
import type { Wanted } from '../../store/sqlite/usage-report.ts'
import { openUsageJournal } from '../../store/usage-journal/journal.ts'
import { addressList } from '../admit/address.ts'
import type { RefillStore } from '../admit/refills.ts'
import { type AuditStore, createAudit } from '../audit/audit.ts'
import { createAccess } from '../auth/access.ts'
import type { HoldStore } from '../gateway/objects/holds.ts'
import { createLedger } from '../meter/ledger.ts'
import { openAccess } from './access.ts'
import { openAnswers } from './answers.ts'
import type { Ground } from './ground.ts'
import type { SealedPart } from './rotation.ts'
import { signInStores } from './sign-in-stores.ts'

export type Storage = ReturnType<typeof openStorage>

/**
 * Keys and usage rows, with the database and the journal that hold them. On a full disk the keys are known, and what
 * has to be recorded is refused, until there is room.
 * @throws Error that says what to do, when the database is damaged
 */
export function openStorage({
  stateDirectory,
  keyring,
  fingerprintKey,
  log,
  now,
  monotonic,
  alert,
}: Pick<Ground, 'stateDirectory' | 'keyring' | 'fingerprintKey' | 'log' | 'now' | 'monotonic' | 'alert'>) {
  const path = join(stateDirectory, DATABASES.main)
  let fault: string | null = null
  let check: ReturnType<typeof checkLater> | null = null
  let auditStore: AuditStore | null = null
  let refillStore: RefillStore | null = null
  let holdStore: HoldStore | null = null
  const stores = signInStores(keyring)
  const keys = openAccess(path, log, ({ isWhole, database }) => {
    stores.opened(database)
    refillStore = openRefillStore(database)
    holdStore = openHoldStore(database)
    auditStore = openAuditStore(database, join(stateDirectory, 'audit.head'))
    if (!isWhole) check = checkLater(path, reportFaults)
  })
  const audit = createAudit({
    store: laterAuditStore(() => auditStore),
    log,
    alert,
    now,
    fingerprintKey,
  })
  const access = createAccess(keys.store, { now, steady: () => uptime() * 1_000, rangesOf: addressList, log })
  const { tokens } = access
  const journal = openUsageJournal(path, log)
  const answers = openAnswers(stateDirectory, keyring, log, monotonic)
  const turns = createReadTurns()
  const ledger = createLedger({ store: journal, log, now: monotonic })

  function reportFaults([first]: readonly string[]): void {
    if (first === undefined) return
    fault = first
    log('error', 'the database is damaged; keys still work, usage may be lost', { file: path, error: first })
  }

  async function used(wanted: Wanted, signal: AbortSignal) {
    const imported = journal.importNow().then(
      () => undefined,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )
    const isLate = journal.isKeepingUp()
    const late = after(UPKEEP_MS, 'the latest rows are still being imported', { ref: false })
    const reason = await (isLate ? Promise.race([imported, late]) : imported)
    const { isCounting, ...report } = await readUsage(path, wanted, signal)
    const incomplete = reason ?? (isCounting ? 'rows of an earlier version are still being counted' : undefined)
    return { ...report, ...(incomplete !== undefined && { incomplete }) }
  }

  return {
    path,
    audit,
    /** People, teams, keys and sessions. */
    access,
    signInStores: stores,
    tokens,
    ledger: { ...ledger, refusal: () => keys.refusal() ?? ledger.refusal() },
    noteOpen: journal.noteOpen,
    afterImport: journal.afterImport,
    refills: laterRefillStore(() => refillStore),
    holds: laterHoldStore(() => holdStore),
    /** Whether keys can be made and rows be written: at a start on a full disk they cannot be yet. */
    isOpen: () => keys.refusal() === null,
    answers: answers.store,
    /** Prompts and answers, sealed in a file of their own. */
    texts: answers.texts,
    /** Everything in databases that the keyring has sealed: a table that is missing here loses its texts at a rotation. */
    sealed: [
      { name: 'answers', reseal: answers.store.reseal },
      { name: 'texts', reseal: answers.texts.reseal },
      ...stores.sealed,
    ] satisfies readonly SealedPart[],
    objects: answers.objects,
    /** Why rows cannot be written or imported right now; null while they can. */
    lastError: () => keys.lastError() ?? ledger.lastError() ?? journal.lastError() ?? fault,
    /** Some upkeep of the usage log. @returns whether there is more to do @throws Error why it cannot be done */
    keepUp: journal.keepUp,
    /** What was used. @throws GateError TOO_MANY_REQUESTS @throws Error why it cannot be read */
    usage: (wanted: Wanted, signal: AbortSignal) => turns(ownerOf(wanted), signal, () => used(wanted, signal)),
    /** What the audit says. @throws GateError TOO_MANY_REQUESTS @throws Error why it cannot be read */
    auditLog: {
      page: (wanted: AuditWanted, signal: AbortSignal) =>
        turns(AUDIT, signal, () => readAuditPage(path, wanted, signal)),
      verify: (known: AuditHead | null, signal: AbortSignal) =>
        turns(AUDIT, signal, () => checkAudit(path, known, signal)),
    },
    /** Writes what is left. Call after the last request. */
    async stop(): Promise<void> {
      await check?.stop()
      const lost = ledger.close()
      if (lost > 0) log('error', 'usage rows could not be written and are lost', { count: lost })
      await journal.close()
      const unwritten = audit.close()
      if (unwritten > 0)
        log('error', 'entries of the audit could not be written; the log has them', { count: unwritten })
      keys.close()
      await answers.close()
    },
  }
}

/** A report waits for upkeep of the usage log no longer than its rounds usually take. */
const UPKEEP_MS = 250

/** Who waits for what is read, so that one cannot take the turns of all. */
const AUDIT = 'audit'
const ownerOf = ({ of }: Wanted): string => (of === undefined ? 'usage of all' : JSON.stringify(of))

const NO_STORE = 'the disk of the state directory was full when Gate started'

function laterRefillStore(current: () => RefillStore | null): RefillStore {
  return {
    since: (windowStartMs) => current()?.since(windowStartMs) ?? [],
    add(refill) {
      const store = current()
      if (store === null) throw new GateError('STORE_UNAVAILABLE', NO_STORE)
      store.add(refill)
    },
  }
}

function laterHoldStore(current: () => HoldStore | null): HoldStore {
  const use = (): HoldStore => {
    const store = current()
    if (store === null) throw new Error(NO_STORE)
    return store
  }
  return {
    all: () => current()?.all() ?? [],
    put: (hold) => use().put(hold),
    remove: (...name) => use().remove(...name),
    putFile: (...file) => use().putFile(...file),
    partsOfFile: (...name) => use().partsOfFile(...name),
  }
}

/** At a start on a full disk there is none yet. */
function laterAuditStore(current: () => AuditStore | null): AuditStore {
  const use = (): AuditStore => {
    const store = current()
    if (store === null) throw new Error(NO_STORE)
    return store
  }
  return { append: (record) => use().append(record), anchor: () => use().anchor() }
}
