import {
  type Destination,
  isAboutDestination,
  type Payer,
  type PayerNames,
  subjectsOfDestination,
  subjectsOfPayer,
} from './payer.ts'
import type { Pot, PotWindow } from './pot.ts'
import type { Pots } from './pots.ts'
import type { Window } from './window.ts'

/** What usage rows of one window that are alike in all this have cost together, in micro-dollars. */
export type SpentRow = {
  readonly keyId: string
  /** As they were when it was asked; empty where there was none. */
  readonly userId: string
  readonly team: string
  /** Others, with spaces between them. */
  readonly teams: string
  readonly model: string
  readonly targetModel: string
  readonly upstream: string
  readonly cost: number
}

/** What a row does not say of its payer and its destination, which is as it is now. */
export type RowFacts = {
  readonly payerOf: (keyId: string) => Payer
  readonly providerOf: (upstream: string) => string
}

/** What pots had settled at one moment. */
export type Cut = ReadonlyMap<PotWindow, number>

/**
 * What the usage log says of budgets is what they say: it is read at the start, when a budget is new, and now and then.
 * Until then all that was leased counts as spent.
 */
export function createSpending(pots: () => Pots, names: PayerNames, facts: RowFacts) {
  /** From which window on the pots of a budget are known. */
  const knownFrom = new Map<string, number>()

  return {
    /** What a window begins with; null: the usage log was not read yet. */
    spentIn: ({ budget, windowStartMs }: Pick<PotWindow, 'budget' | 'windowStartMs'>): number | null =>
      windowStartMs >= (knownFrom.get(budget) ?? Number.POSITIVE_INFINITY) ? 0 : null,
    /** The windows that are to be read, each once. @param atMs Unix milliseconds */
    windows(atMs: number): readonly Window[] {
      const all = pots()
        .entries()
        .map(({ rule }) => rule.windowAt(atMs))
      return [...new Map(all.map((window) => [`${window.startMs} ${window.endMs}`, window])).values()]
    },
    /** Notes what is settled now: the rows that are read have all of that, and nothing that comes later. */
    cut: (): Cut =>
      new Map(
        pots()
          .all()
          .map(({ now }) => [now, now.settledHere]),
      ),
    /** Takes over what was read. @param rows of each window, in their order */
    takeOver(cut: Cut, windows: readonly Window[], rows: readonly (readonly SpentRow[])[]): void {
      for (const entry of pots().entries()) {
        const { rule } = entry
        for (const [at, { startMs, endMs }] of windows.entries()) {
          if (rule.windowAt(startMs).endMs !== endMs || rule.windowAt(startMs).startMs !== startMs) continue
          const sums = new Map<string, number>()
          for (const row of rows[at] ?? []) {
            for (const subject of subjectsOf(entry, row)) sums.set(subject, (sums.get(subject) ?? 0) + row.cost)
          }
          knownFrom.set(rule.name, startMs)
          // what has no pot of its own is in the one that is shared
          const ofPots = new Map<Pot, number>()
          for (const [subject, sum] of sums) {
            const pot = entry.potOf(subject)
            ofPots.set(pot, (ofPots.get(pot) ?? 0) + sum)
          }
          for (const pot of entry.bySubject.values()) {
            const { now } = pot
            if (now.windowStartMs !== startMs) continue
            now.tellFrom = 0
            now.spent = (ofPots.get(pot) ?? 0) + now.settledHere - (cut.get(now) ?? 0)
          }
        }
      }
    },
    /** A budget is another one than before. */
    forget: (budget: string): boolean => knownFrom.delete(budget),
  }

  function subjectsOf({ rule }: ReturnType<Pots['entries']>[number], row: SpentRow): readonly string[] {
    const payer = payerOfRow(facts.payerOf(row.keyId), row)
    if (!isAboutDestination(rule.scope)) return subjectsOfPayer(rule.scope, payer, payer.budgets, rule.name, names)
    const { model, targetModel: target, upstream } = row
    const destination: Destination = { model, target, upstream, provider: facts.providerOf(upstream) }
    return subjectsOfDestination(rule.scope, destination)
  }
}

/** Who leaves a team, or is removed, takes nothing of what was spent along. */
function payerOfRow(payer: Payer, { userId, team, teams }: SpentRow): Payer {
  const were = teams === '' ? [team] : [team, ...teams.split(' ')]
  const left = were.filter((id) => id !== '' && !payer.teams.includes(id))
  return {
    ...payer,
    userId: userId === '' ? payer.userId : userId,
    teams: left.length === 0 ? payer.teams : [...payer.teams, ...left],
  }
}

export type Spending = ReturnType<typeof createSpending>
