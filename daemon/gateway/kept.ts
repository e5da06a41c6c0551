import { GateError } from '../../schemas/words/errors.ts'
import type { Log } from '../../schemas/words/log.ts'
import type { Call, Served } from '../translate/call.ts'
import type { Dialect } from '../translate/dialect.ts'
import { isRecord, type JsonRecord } from '../translate/json-value.ts'
import type { KeptAnswers } from '../translate/kept-form.ts'
import type { RecordedAnswer } from '../translate/recorded-form.ts'
import { fromStore } from './from-store.ts'
import type { Job } from './job.ts'
import type { Recordings } from './recordings.ts'

/** What the gateway needs of the storage of answers. Times are Unix milliseconds. @throws Error when it fails */
export type AnswerStore = {
  readonly put: (keyId: string, id: string, at: number, text: string) => void
  readonly get: (keyId: string, id: string, since: number) => string | null
  readonly remove: (keyId: string, id: string) => boolean
  /** Removes some of what is too old or too much. @returns whether there is more of it */
  readonly trim: (since: number, maxBytes: number) => boolean
}

type Limits = { readonly keptForMs: number; readonly maxBytes: number }

/**
 * What one request may read of what is kept, in characters; a look-up counts as so many at least. Each holds up every
 * other request.
 */
const MAX_READ_CHARACTERS = 64 * 2 ** 20
const LOOK_UP_CHARACTERS = 4 * 2 ** 10
/** So much is put between two looks at what is too old or too much. */
const PUTS_PER_TRIM = 256
/** So many that could not be kept are remembered, the latest ones. */
const MOST_LOST = 1_000
const LOST = 'what is kept of earlier answers cannot be read'
const TOO_MUCH = 'the request refers to more of earlier answers than is read for one request; send the input itself'

/**
 * The answers that clients may ask for again, each by the key that it was given to.
 * @param recorded those that are being made, or were until just now
 * @param now Unix milliseconds
 */
export function createKept(
  store: AnswerStore,
  recorded: (keyId: string, id: string) => RecordedAnswer | null,
  log: Log,
  now: () => number,
  initial: Limits,
) {
  let limits = initial
  let puts = 0
  let isTooMuch = false
  /** Keys and ids of answers that could not be kept. */
  const lost = new Set<string>()
  const since = () => now() - limits.keptForMs

  function keep(keyId: string, id: string, record: JsonRecord, served: Served | null): void {
    if (limits.keptForMs === 0) return
    try {
      store.put(keyId, id, now(), JSON.stringify(served === null ? record : { ...record, servedBy: served }))
      if (isTooMuch || puts % PUTS_PER_TRIM === 0) isTooMuch = store.trim(since(), limits.maxBytes)
      puts += 1
    } catch (error) {
      // the answer itself is not lost; who asks for it again is told what happened
      lost.add(`${keyId} ${id}`)
      if (lost.size > MOST_LOST) lost.delete(lost.values().next().value ?? '')
      log('error', 'an answer could not be kept', { error: String(error) })
    }
  }

  return {
    setLimits(next: Limits): void {
      limits = next
    },
    /**
     * What one key may ask for, in one request. @param servedBy what has made the answer that is kept; null: that is not
     * known
     */
    of(keyId: string, servedBy: () => Served | null = () => null): KeptAnswers {
      let readCharacters = 0
      return {
        isKeeping: () => limits.keptForMs > 0,
        recorded: (id) => recorded(keyId, id),
        find(id) {
          const text = fromStore(LOST, () => store.get(keyId, id, since()))
          readCharacters += Math.max(text?.length ?? 0, LOOK_UP_CHARACTERS)
          if (readCharacters > MAX_READ_CHARACTERS) throw new GateError('BODY_TOO_LARGE', TOO_MUCH)
          const value: unknown = text === null ? null : JSON.parse(text)
          return isRecord(value) ? value : null
        },
        keep: (id, record) => keep(keyId, id, record, servedBy()),
        isLost: (id) => lost.has(`${keyId} ${id}`),
        remove: (id) => fromStore(LOST, () => store.remove(keyId, id)),
      }
    },
  }
}

/** A request with the answers that it refers to. @param hold counts what that adds @throws GateError */
export function completed(
  sent: Call,
  { kept: form }: Dialect,
  answers: KeptAnswers,
  hold: (bytes: number) => void,
): Call {
  const call = form?.complete(sent, answers) ?? sent
  if (call !== sent) hold(call.body.length)
  return call
}

/** Sees to it that the answer is kept, if it is to be: by its recording, or as its client is shown it. */
export function keepAnswer(recordings: Pick<Recordings, 'begin'>, job: Job, answers: KeptAnswers): void {
  if (recordings.begin(job, answers)) return
  job.answer.tap = job.dialect.kept?.tap(job.call, answers) ?? null
}
