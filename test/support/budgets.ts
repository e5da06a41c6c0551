import { createBudgets } from '../../daemon/admit/budgets.ts'
import { type LeaseName, type LeaseStore, localLeases } from '../../daemon/admit/leases.ts'
import { createLimits } from '../../daemon/admit/limits.ts'
import type { Payer, PayerNames } from '../../daemon/admit/payer.ts'
import type { BatchPart } from '../../daemon/gateway/objects/batch-cost.ts'
import type { Hold, HoldStore } from '../../daemon/gateway/objects/holds.ts'
import type { BudgetConfig, LimitConfig } from '../../schemas/config/config.ts'

export const NO_NAMES: PayerNames = { user: () => null, team: () => null }

/** A key that belongs to no person. */
export const PAYER: Payer = { keyId: 'key-1', name: 'first', userId: null, teams: [], budgets: [], limits: [] }

/** Leases as long as the test lasts. */
export function memoryLeases(): LeaseStore & { readonly all: Map<string, number> } {
  const all = new Map<string, number>()
  const keyOf = ({ budget, subject, windowStartMs }: LeaseName) => `${budget} ${subject} ${windowStartMs}`
  return { all, find: (name) => all.get(keyOf(name)) ?? 0, put: (name, upTo) => void all.set(keyOf(name), upTo) }
}

/** What is held for batches, as long as the test lasts. */
export function memoryHolds(): HoldStore {
  const holds = new Map<string, Hold>()
  const files = new Map<string, readonly BatchPart[]>()
  return {
    all: () => [...holds.values()],
    put: (hold) => void holds.set(`${hold.upstream} ${hold.id}`, hold),
    remove: (upstream, id) => void holds.delete(`${upstream} ${id}`),
    putFile: (upstream, id, _, parts) => void files.set(`${upstream} ${id}`, parts),
    partsOfFile: (upstream, id) => files.get(`${upstream} ${id}`) ?? [],
  }
}

/** Real budgets, whose leases outlive nothing. */
export function budgetsOf(
  config: Readonly<Record<string, BudgetConfig>> = {},
  parts: Partial<Parameters<typeof createBudgets>[0]> = {},
) {
  const budgets = createBudgets({
    leases: localLeases(memoryLeases()),
    refilledIn: () => 0,
    spentIn: () => null,
    names: NO_NAMES,
    now: Date.now,
    tell: () => {},
    charged: () => {},
    ...parts,
  })
  budgets.apply(config)
  return budgets
}

/** Real limits. */
export function limitsOf(
  config: Readonly<Record<string, LimitConfig>> = {},
  parts: Partial<Parameters<typeof createLimits>[0]> = {},
) {
  const limits = createLimits({ names: NO_NAMES, share: () => 1, now: () => performance.now(), ...parts })
  limits.apply(config)
  return limits
}
