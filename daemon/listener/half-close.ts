import { type Asked, nextAnswer } from './broken-request.ts'
import type { ClientResponse } from './client-request.ts'

/** An answer in progress that can say something harmless to its client. @returns false when it knows nothing to say */
export type Probed = ClientResponse & { [PROBE]?: { probe(): void } }
export const PROBE = Symbol('says something harmless to the client')

/**
 * A client that has ended its side of the connection waits for its answer, or has gone away: until something is sent to
 * it, the two look the same. What is sent to one that is gone comes back as an error at the next write, so it takes
 * two; most answers are there before the first. Then one look every second until the answer is complete.
 */
const FIRST_LOOKS_MS = [30, 30]
const NEXT_LOOK_MS = 1_000

/** Called when the client has ended its side. */
export function probeUntilAnswered(socket: Asked, looks: readonly number[] = FIRST_LOOKS_MS): void {
  const [waitMs = NEXT_LOOK_MS, ...rest] = looks
  const answer: Probed | undefined = nextAnswer(socket)
  if (answer === undefined || socket.destroyed) return
  const timer = setTimeout(() => {
    if (nextAnswer(socket) === answer) answer[PROBE]?.probe()
    probeUntilAnswered(socket, rest)
  }, waitMs)
  timer.unref()
}
