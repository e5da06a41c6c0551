import type { Leases } from './leases.ts'
import { ceilingOf, type Pot, type PotWindow } from './pot.ts'
import type { Refusal, Reservation } from './reservation.ts'

/** A lease goes beyond what is needed by this share of the budget, within these bounds. */
const LEASE_SHARE = 0.01
const SMALLEST_LEASE = 10_000
const LARGEST_LEASE = 1_000_000

type Extend = Pick<Leases, 'extend'>
type Release = (reservation: Reservation) => void

/**
 * Takes the right to spend what is reserved, where it is not had yet.
 * @param release gives the reservation back, where it cannot be had
 * @throws GateError STORE_UNAVAILABLE
 */
export function leaseAhead(
  leases: Extend,
  reservation: Reservation,
  release: Release,
): Reservation | Refusal | Promise<Reservation | Refusal> {
  const waits: Promise<Pot | null>[] = []
  try {
    for (const pot of reservation.pots) {
      const window = pot.now
      if (pot.rule.ceiling === null || window.spent + window.reserved <= window.leased) continue
      const extended = extend(leases, pot, window)
      if (typeof extended === 'number') {
        window.leased = extended
        if (window.spent + window.reserved > extended) waits.push(Promise.resolve(pot))
      } else waits.push(extended.then((upTo) => denied(pot, window, upTo)))
    }
  } catch (error) {
    for (const wait of waits) wait.catch(() => {}) // what the first says is told
    release(reservation)
    throw error
  }
  return waits.length === 0 ? reservation : leased(reservation, waits, release)
}

function extend(leases: Extend, pot: Pot, window: PotWindow): number | Promise<number> {
  const ceiling = ceilingOf(pot, window) ?? 0
  const needed = window.spent + window.reserved
  const more = Math.min(LARGEST_LEASE, Math.max(SMALLEST_LEASE, Math.ceil(ceiling * LEASE_SHARE)))
  return leases.extend(window, needed, Math.max(needed, Math.min(needed + more, ceiling)))
}

function denied(pot: Pot, window: PotWindow, upTo: number): Pot | null {
  window.leased = Math.max(window.leased, upTo)
  return window.spent + window.reserved > window.leased ? pot : null
}

async function leased(reservation: Reservation, waits: readonly Promise<Pot | null>[], release: Release) {
  try {
    const [pot] = (await Promise.all(waits)).filter((one) => one !== null)
    if (pot === undefined) return reservation
    release(reservation)
    return { kind: 'spent', pot, window: pot.now, amount: reservation.amount } as const
  } catch (error) {
    release(reservation)
    throw error
  }
}
