import { join } from 'node:path'
import type { Config } from '../../schemas/config/config.ts'
import { openLeaseFile } from '../../store/leases/lease-file.ts'
import { readSpent } from '../../store/sqlite/read-spent.ts'
import type { BudgetEvent } from '../admit/budget-event.ts'
import { createBudgets } from '../admit/budgets.ts'
import { localLeases } from '../admit/leases.ts'
import { createLimits } from '../admit/limits.ts'
import type { PayerNames } from '../admit/payer.ts'
import { createRefills } from '../admit/refills.ts'
import { createSpending } from '../admit/spending.ts'
import { createHolds } from '../gateway/objects/holds.ts'
import { tellBudget } from './budget-alert.ts'
import type { Ground } from './ground.ts'
import { payersOf } from './payers.ts'
import { createRereading } from './rereading.ts'
import type { Storage } from './storage.ts'

/** What the usage log says is read again as often, and so much later when it could not be read. */
const READ_EVERY_MS = 3_600_000
const TRY_AGAIN_MS = 1_000
/** What was booked twice, because an upstream told it twice, is corrected so much later. */
const CORRECT_AFTER_MS = 5_000

/** Budgets and limits, with what they keep on the disk. @param providerOf the kind of an upstream */
export function openMoney(
  ground: Pick<Ground, 'stateDirectory' | 'config' | 'log' | 'now' | 'monotonic' | 'alert'>,
  { access, ledger, refills: refillStore, holds: holdStore, afterImport, path }: Storage,
  providerOf: (upstream: string) => string,
) {
  const { stateDirectory, config, log, now, monotonic, alert } = ground
  const names: PayerNames = {
    user: (id) => access.users.get(id)?.name ?? null,
    team: (id) => access.teams.get(id)?.name ?? null,
  }
  const file = openLeaseFile(join(stateDirectory, 'gate.db-leases'), now)
  const leases = localLeases(file)
  const refills = createRefills(refillStore, now)
  const stopping = new AbortController()

  const budgets = createBudgets({
    leases,
    refilledIn: refills.refilledIn,
    spentIn: (name) => spending.spentIn(name),
    names,
    now,
    tell: (event: BudgetEvent) => tellBudget(alert, event),
    charged: () => rereading.within(CORRECT_AFTER_MS),
  })
  const spending = createSpending(() => budgets.pots, names, { payerOf: (keyId) => payers(keyId), providerOf })
  let payers = payersOf(access)
  const limits = createLimits({ names, share: leases.share, now: monotonic })

  const rereading = createRereading({
    read: readOnce,
    failed: (error) =>
      log('warn', 'what budgets have spent could not be read from the usage log', { error: String(error) }),
    everyMs: READ_EVERY_MS,
    afterFailureMs: TRY_AGAIN_MS,
  })

  async function readOnce(): Promise<void> {
    if (budgets.pots.isEmpty()) return
    payers = payersOf(access)
    const windows = spending.windows(now())
    let cut: ReturnType<typeof spending.cut> | null = null
    const { rows } = await afterImport(
      () => {
        if (ledger.flush()) cut = spending.cut()
      },
      () => readSpent(path, windows, stopping.signal),
    )
    const spent = await rows
    if (cut === null) throw new Error('usage rows cannot be written')
    spending.takeOver(cut, windows, spent)
  }

  budgets.apply(config.current().budgets)
  const holds = createHolds({ store: holdStore, budgets, payers: () => payersOf(access), log, now })
  limits.apply(config.current().limits)

  return {
    budgets,
    limits,
    leases,
    holds,
    /** Who the rows of a key are paid by, as it is now. */
    payerOf: (keyId: string) => payersOf(access)(keyId),
    potsOf: (budget: string) => budgets.states(budget),
    /** @returns false: the budget has no such subject @throws GateError STORE_UNAVAILABLE */
    refill(budget: string, subject: string, microdollars: number, by: string): boolean {
      const window = budgets.windowFor(budget, subject)
      if (window === null) return false
      const { windowStartMs } = window
      refills.add({ budget, subject, windowStartMs, microdollars, at: now(), by })
      window.refilled = refills.refilledIn(window)
      window.toldPercent = 0 // what it reaches now is news again
      window.tellFrom = 0
      return true
    },
    /** Reads what is spent. Call it before requests come. */
    read: rereading.now,
    apply(next: Config): void {
      if (budgets.apply(next.budgets)) void rereading.now()
      holds.restore()
      limits.apply(next.limits)
    },
    async close(): Promise<void> {
      stopping.abort()
      await rereading.stop()
      file.close()
    },
  }
}
