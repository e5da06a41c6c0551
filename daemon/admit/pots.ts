import type { BudgetConfig } from '../../schemas/config/config.ts'
import { type BudgetRule, budgetRule } from './budget-rule.ts'
import {
  type Destination,
  isAboutDestination,
  type Payer,
  type PayerNames,
  subjectsOfDestination,
  subjectsOfPayer,
} from './payer.ts'
import { createPot, type Pot, type WindowSources } from './pot.ts'

/** Subjects of one budget that have a pot of their own; those that come later share one. */
const MOST_SUBJECTS = 10_000
const OTHERS = '*'
/** How often pots that are over are looked for where there are too many. */
const SWEEP_EVERY_MS = 60_000
/** Models whose pots are kept at hand. */
const MOST_MODELS = 1_000

const NONE: readonly Pot[] = []

type Entry = { rule: BudgetRule; config: BudgetConfig; readonly bySubject: Map<string, Pot> }

/** Every pot there is, and which of them a request is paid from. @param now Unix milliseconds */
export function createPots(names: PayerNames, sources: WindowSources, now: () => number) {
  const entries = new Map<string, Entry>()
  let ofPayers: readonly Entry[] = []
  let ofDestinations: readonly Entry[] = []
  let payers = new WeakMap<Payer, readonly Pot[]>()
  /** Of a payer and a destination together. */
  const both = new WeakMap<readonly Pot[], WeakMap<readonly Pot[], readonly Pot[]>>()
  let destinations = new Map<string, Map<string, readonly Pot[]>>()
  let sweptAtMs = Number.NEGATIVE_INFINITY

  function potOf({ rule, bySubject }: Entry, wanted: string): Pot {
    const subject = bySubject.size < MOST_SUBJECTS || bySubject.has(wanted) ? wanted : OTHERS
    const known = bySubject.get(subject)
    if (known !== undefined) return known
    const pot = createPot(rule, subject, now(), sources)
    bySubject.set(subject, pot)
    return pot
  }

  /** Forgets pots of windows that have ended, where new subjects would have to share one. */
  function makeRoom(): void {
    const atMs = now()
    if (Math.abs(atMs - sweptAtMs) < SWEEP_EVERY_MS) return
    const full = [...entries.values()].filter(({ bySubject }) => bySubject.size >= MOST_SUBJECTS)
    if (full.length === 0) return
    sweptAtMs = atMs
    for (const { bySubject } of full) {
      for (const [subject, pot] of bySubject) if (isOver(pot, atMs)) bySubject.delete(subject)
    }
    forget()
  }

  function forget(): void {
    payers = new WeakMap()
    destinations = new Map()
  }

  const subjectsFor = ({ rule }: Entry, payer: Payer) =>
    subjectsOfPayer(rule.scope, payer, payer.budgets, rule.name, names)

  return {
    /** Takes over a configuration. @returns whether there are pots whose spending is not known yet */
    apply(budgets: Readonly<Record<string, BudgetConfig>>): boolean {
      let hasNew = false
      for (const name of entries.keys()) if (!Object.hasOwn(budgets, name)) entries.delete(name)
      for (const [name, config] of Object.entries(budgets)) {
        const known = entries.get(name)
        const rule = budgetRule(name, config)
        if (known !== undefined && countsTheSame(known.config, config)) {
          Object.assign(known, { rule, config })
          for (const pot of known.bySubject.values()) pot.rule = rule
          continue
        }
        const entry: Entry = { rule, config, bySubject: new Map() }
        if (rule.scope.kind !== 'each') potOf(entry, '')
        entries.set(name, entry)
        hasNew = true
      }
      const all = [...entries.values()]
      ofPayers = all.filter(({ rule }) => !isAboutDestination(rule.scope))
      ofDestinations = all.filter(({ rule }) => isAboutDestination(rule.scope))
      forget()
      return hasNew
    },
    /** Names, teams or attached budgets of payers have changed. */
    forget,
    isEmpty: () => entries.size === 0,
    ofPayer(payer: Payer): readonly Pot[] {
      const known = payers.get(payer)
      if (known !== undefined) return known
      makeRoom()
      const pots = ofPayers.flatMap((entry) => subjectsFor(entry, payer).map((subject) => potOf(entry, subject)))
      payers.set(payer, pots)
      return pots
    },
    ofDestination(destination: Destination): readonly Pot[] {
      if (ofDestinations.length === 0) return NONE
      const { model, upstream, target } = destination
      const to = `${upstream}/${target}`
      let byTarget = destinations.get(model)
      if (byTarget === undefined) {
        if (destinations.size >= MOST_MODELS) destinations.clear()
        byTarget = new Map()
        destinations.set(model, byTarget)
      }
      const known = byTarget.get(to)
      if (known !== undefined) return known
      const pots = ofDestinations.flatMap((entry) =>
        subjectsOfDestination(entry.rule.scope, destination).map((subject) => potOf(entry, subject)),
      )
      byTarget.set(to, pots)
      return pots
    },
    /** Of one budget, by subject; undefined: there is no such budget. */
    of: (name: string): ReadonlyMap<string, Pot> | undefined => entries.get(name)?.bySubject,
    entries: () =>
      Array.from(entries.values(), (entry) => ({ ...entry, potOf: (subject: string) => potOf(entry, subject) })),
    all: () => [...entries.values()].flatMap(({ bySubject }) => [...bySubject.values()]),
    /** The pots that a payer's spending at a destination counts in, made where there are none. */
    spentFrom(payer: Payer, destination: Destination): readonly Pot[] {
      const own = this.ofPayer(payer)
      const others = this.ofDestination(destination)
      if (others.length === 0) return own
      if (own.length === 0) return others
      const known = both.get(own)?.get(others)
      if (known !== undefined) return known
      const all = [...own, ...others]
      const byOthers = both.get(own) ?? new WeakMap<readonly Pot[], readonly Pot[]>()
      both.set(own, byOthers.set(others, all))
      return all
    },
  }
}

export type Pots = ReturnType<typeof createPots>

/** Whether its window has ended, or has nothing in it, and no request is going on. */
function isOver({ now, past }: Pot, atMs: number): boolean {
  if (now.reserved !== 0 || past.some(({ reserved }) => reserved !== 0)) return false
  return atMs >= now.endMs || (now.spent === 0 && now.refilled === 0)
}

/** Whether what was counted stays counted, and where. */
const countsTheSame = (a: BudgetConfig, b: BudgetConfig): boolean =>
  a.window === b.window && a.zone === b.zone && a.scope === b.scope
