import { GateError } from '../../../schemas/words/errors.ts'
import type { Log } from '../../../schemas/words/log.ts'
import type { Budgets } from '../../admit/budgets.ts'
import type { Payer } from '../../admit/payer.ts'
import type { Reservation } from '../../admit/reservation.ts'
import { refusalError, spentError } from '../paying.ts'
import type { Who } from '../usage-row.ts'
import type { BatchPart } from './batch-cost.ts'

/** Requests of a batch, and what is held for them. `mayBe`: the models that they may be for; absent: it is known. */
export type HeldPart = BatchPart & {
  readonly mayBe?: readonly { readonly model: string; readonly target: string }[]
}

/** A batch that an upstream works on, and what is held for it. */
export type Hold = {
  readonly dialect: string
  readonly upstream: string
  readonly provider: string
  readonly id: string
  /** When it was made, Unix milliseconds. */
  readonly at: number
  readonly who: Who
  readonly parts: readonly (HeldPart & { readonly amount: number })[]
}

/** What holds need from storage. @throws GateError STORE_UNAVAILABLE */
export type HoldStore = {
  readonly all: () => readonly Hold[]
  readonly put: (hold: Hold) => void
  readonly remove: (upstream: string, id: string) => void
  /** What a file asks for, whose lines are the requests of a batch. */
  readonly putFile: (upstream: string, id: string, at: number, parts: readonly BatchPart[]) => void
  readonly partsOfFile: (upstream: string, id: string) => readonly BatchPart[]
}

/** Upstreams work on a batch for a day; then there is another one to hear of it. */
const LONGEST_MS = 2 * 86_400_000
/** Batches that are held at a time, of one key and of all; more are refused. */
const MOST_HOLDS_OF_KEY = 500
const MOST_HOLDS = 10_000
const TRY_AGAIN_S = 600

export type Holds = ReturnType<typeof createHolds>

type Kept = { readonly hold: Hold; reserved: readonly Reservation[] }

/**
 * Holds money for batches: what one can cost at most is reserved before it is made, and given back when it has ended, has
 * failed, is not heard of for two days, or the windows of its budgets are over; also after a restart.
 * @param now Unix milliseconds
 */
export function createHolds({
  store,
  budgets,
  payers,
  log,
  now,
}: {
  readonly store: HoldStore
  readonly budgets: Pick<Budgets, 'pots' | 'reserve' | 'release' | 'hold' | 'spentOf'>
  /** Who pays for a key, as it is now. */
  readonly payers: () => (keyId: string) => Payer
  readonly log: Log
  readonly now: () => number
}) {
  const kept = new Map<string, Kept>()
  const nameOf = (upstream: string, id: string) => `${upstream} ${id}`
  for (const hold of attempt(() => store.all()) ?? []) kept.set(nameOf(hold.upstream, hold.id), { hold, reserved: [] })
  restore()

  /** Those of every model that a part may be for. */
  function potsOf(payer: Payer, { upstream, provider }: Pick<Hold, 'upstream' | 'provider'>, part: HeldPart) {
    const of = ({ model, target }: Pick<BatchPart, 'model' | 'target'>) =>
      budgets.pots.spentFrom(payer, { model, target, upstream, provider })
    return part.mayBe === undefined ? of(part) : [...new Set([part, ...part.mayBe].flatMap(of))]
  }

  /** Reserves anew what is held: pots have changed. */
  function restore(): void {
    const payerOf = payers()
    for (const one of kept.values()) {
      for (const reservation of one.reserved) budgets.release(reservation)
      const payer = payerOf(one.hold.who.keyId)
      one.reserved = one.hold.parts.map((part) => budgets.hold(potsOf(payer, one.hold, part), one.hold.at, part.amount))
    }
  }

  /** What fails here costs the memory of a restart, and no batch. */
  function attempt<T>(work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      log('warn', 'what is held for batches cannot be kept over a restart', { error: String(error) })
      return undefined
    }
  }

  function end(upstream: string, id: string): void {
    const one = kept.get(nameOf(upstream, id))
    if (one === undefined) return
    kept.delete(nameOf(upstream, id))
    for (const reservation of one.reserved) budgets.release(reservation)
    attempt(() => store.remove(upstream, id))
  }

  return {
    restore,
    find: (upstream: string, id: string): Hold | undefined => kept.get(nameOf(upstream, id))?.hold,
    all: (): readonly Hold[] => Array.from(kept.values(), ({ hold }) => hold),
    /** @throws GateError TOO_MANY_REQUESTS: the key has as many batches as it may, or all keys together */
    refuseMore(keyId: string): void {
      const own = Array.from(kept.values()).reduce((sum, { hold }) => sum + (hold.who.keyId === keyId ? 1 : 0), 0)
      if (own < MOST_HOLDS_OF_KEY && kept.size < MOST_HOLDS) return
      const whose = own < MOST_HOLDS_OF_KEY ? `all keys together have ${kept.size}` : `this key has ${own}`
      throw new GateError(
        'TOO_MANY_REQUESTS',
        `${whose} batches under way, which is the most; wait until one has ended`,
        {
          retryAfterS: TRY_AGAIN_S,
        },
      )
    },
    /**
     * Reserves what a batch can cost at most; all of it must be left.
     * @throws GateError BUDGET_EXHAUSTED, BUDGET_RESERVED, PRICE_UNKNOWN, STORE_UNAVAILABLE
     */
    async reserve(
      payer: Payer,
      to: Pick<Hold, 'upstream' | 'provider'>,
      wanted: readonly { readonly part: HeldPart; readonly worst: Parameters<Budgets['reserve']>[2] }[],
    ): Promise<readonly Reservation[]> {
      if (budgets.pots.isEmpty()) return []
      const spent = budgets.spentOf(budgets.pots.spentFrom(payer, { model: '', target: '', ...to }))
      if (spent !== null) throw spentError(spent.pot, spent.window, now())
      const reserved: Reservation[] = []
      try {
        for (const { part, worst } of wanted) {
          const one = await budgets.reserve(potsOf(payer, to, part), now(), worst)
          if ('kind' in one) throw refusalError(one, now())
          reserved.push(one)
        }
      } catch (error) {
        for (const one of reserved) budgets.release(one)
        throw error
      }
      return reserved
    },
    /** The batch is made: what was reserved for it stays so. */
    keep(hold: Hold, reserved: readonly Reservation[]): void {
      kept.set(nameOf(hold.upstream, hold.id), { hold, reserved })
      attempt(() => store.put(hold))
    },
    /** It is over, one way or another. */
    end,
    /** Gives up those that were not heard of for too long. */
    expire(): void {
      for (const { hold } of kept.values()) {
        if (now() - hold.at <= LONGEST_MS) continue
        log('warn', 'a batch was not heard of for two days, and nothing is booked for it', { upstream: hold.upstream })
        end(hold.upstream, hold.id)
      }
    },
    noteFile: (upstream: string, id: string, parts: readonly BatchPart[]): void =>
      void attempt(() => store.putFile(upstream, id, now(), parts)),
    partsOfFile: (upstream: string, id: string): readonly BatchPart[] =>
      attempt(() => store.partsOfFile(upstream, id)) ?? [],
  }
}
