import type { Log } from '../../schemas/words/log.ts'
import { guarded } from '../../system/background.ts'
import type { Answer } from '../gateway/answer.ts'
import { type GuardParts, guardAnswers } from '../gateway/guard.ts'
import type { createBatchLooks } from '../gateway/objects/batch-looks.ts'
import { openRow } from '../gateway/usage-row.ts'
import type { Storage } from './storage.ts'

/** How long a stream may go on after its key has expired. */
const EXPIRY_CHECK_MS = 1_000
/** How often it is written which sessions were seen. */
const NOTE_SEEN_MS = 60_000
/**
 * How often what is going on for as long is noted, in case that this process is killed; and how long counting prompts may
 * take then. What is answered sooner is never noted: to write a file costs as much as dozens of requests.
 */
const NOTE_OPEN_MS = 500
const COUNTING_MS = 10

/** How often it is seen which batches are to be asked for. */
const LOOK_AT_BATCHES_MS = 15_000
/** How often what streams have cost is held against their budgets: one that is spent ends them. */
const GUARD_MS = 1_000

/** What the rounds look at, and what they tell. */
type RoundParts = GuardParts & {
  readonly access: Pick<Storage['access'], 'endExpired' | 'noteSeen'>
  readonly clients: { readonly items: () => readonly Answer[] }
  readonly noteOpen: Storage['noteOpen']
  readonly batches: ReturnType<typeof createBatchLooks>
  readonly log: Log
}

/** Starts what is done again and again while requests are served. `stops`: in the order in which they have to go. */
export function startRounds({ access, clients, noteOpen, batches, budgets, priceOf, log, now, monotonic }: RoundParts) {
  const every = (intervalMs: number, failed: string, round: () => unknown) =>
    setInterval(guarded(log, failed, round), intervalMs).unref()

  function noteOngoing(): void {
    const startMs = monotonic()
    const rowOf = ({ progress: { ongoing }, watch }: Answer) => {
      if (ongoing === null || ongoing.begun > startMs - NOTE_OPEN_MS) return []
      const monotonicMs = monotonic()
      return openRow(ongoing, watch, {
        price: priceOf(ongoing.target),
        monotonicMs,
        mayCount: monotonicMs < startMs + COUNTING_MS,
      })
    }
    noteOpen(clients.items().flatMap(rowOf))
  }

  const guard = { budgets, priceOf, now, monotonic }
  const expiry = every(EXPIRY_CHECK_MS, 'what has expired could not be ended', access.endExpired)
  const seen = every(NOTE_SEEN_MS, 'when sessions were seen was not noted', access.noteSeen)
  const noting = every(NOTE_OPEN_MS, 'requests that go on were not noted', noteOngoing)
  const looking = every(LOOK_AT_BATCHES_MS, 'batches were not looked at', batches.look)
  const guarding = every(GUARD_MS, 'streams were not held against their budgets', () =>
    guardAnswers(guard, clients.items()),
  )

  return {
    stops: [
      ['expiry of keys', async () => clearInterval(expiry)],
      ['notes of who was seen', async () => clearInterval(seen)],
      ['guard of budgets', async () => clearInterval(guarding)],
      ['notes of what is going on', async () => clearInterval(noting)],
      [
        'looks at batches',
        async () => {
          clearInterval(looking)
          await batches.stop()
        },
      ],
    ] as const,
  }
}
