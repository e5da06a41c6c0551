import type { Log } from '../../../schemas/words/log.ts'
import type { Payer } from '../../admit/payer.ts'
import type { Dialects } from '../../translate/dialects.ts'
import { type JsonRecord, parsedRecord } from '../../translate/json-value.ts'
import type { ObjectForm } from '../../translate/object-form.ts'
import { textOf } from '../../upstream/answer-text.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import type { Upstreams } from '../../upstream/upstreams.ts'
import { type CountingParts, createResultsSum, settleBatch, settleThing } from './batch.ts'
import type { Hold } from './holds.ts'

/** `now` is Unix milliseconds. */
export type LooksParts = CountingParts & {
  readonly upstreams: Pick<Upstreams, 'get'>
  readonly dialects: Pick<Dialects, 'all'>
  readonly payerOf: (keyId: string) => Payer
  readonly log: Log
}

/** A batch is asked for when a fifth of its age has passed since the last time, between a minute and ten. */
const AGE_SHARE = 0.2
const SHORTEST_MS = 60_000
const LONGEST_MS = 600_000
/** One question, and reading the results of one batch. */
const QUESTION_MS = 30_000
const RESULTS_MS = 600_000
/** Batches of Google have their answers in them: as long as such a one may be on its way to a client. */
const MOST_BATCH_BYTES = 32 * 2 ** 20

/**
 * Asks upstreams how far the batches are that they work on, so that what one has used is counted also where its client
 * never asks for it.
 */
export function createBatchLooks(parts: LooksParts) {
  const { holds, now, log } = parts
  const asked = new Map<string, number>()
  const stopping = new AbortController()
  let looking: Promise<void> = Promise.resolve()

  function isDue({ upstream, id, at }: Hold): boolean {
    const wait = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, (now() - at) * AGE_SHARE))
    return now() - (asked.get(`${upstream} ${id}`) ?? at) >= wait
  }

  async function lookAll(): Promise<void> {
    holds.expire()
    const all = holds.all()
    const names = new Set(all.map(({ upstream, id }) => `${upstream} ${id}`))
    for (const name of asked.keys()) if (!names.has(name)) asked.delete(name)
    for (const hold of all.filter(isDue)) {
      if (stopping.signal.aborted) return
      asked.set(`${hold.upstream} ${hold.id}`, now())
      try {
        await look(parts, hold, stopping.signal)
      } catch (error) {
        log('debug', 'how far a batch is could not be found out', { upstream: hold.upstream, error: String(error) })
      }
    }
  }

  return {
    /** Looks at those that are due, one after the other. Call it now and then. @returns when that is done; never rejects */
    look(): Promise<void> {
      looking = looking.then(lookAll)
      return looking
    },
    async stop(): Promise<void> {
      stopping.abort()
      await looking
    },
  }
}

/** @throws Error when the upstream does not say it */
async function look(parts: LooksParts, hold: Hold, stopping: AbortSignal): Promise<void> {
  const upstream = parts.upstreams.get(hold.upstream)
  const form = parts.dialects.all.find(({ name, objects }) => name === hold.dialect && objects !== undefined)?.objects
  if (upstream === undefined || form === undefined) return
  const thing = await thingAt(upstream, form.pathsOf(hold.id).batch, stopping)
  if (thing === null || form.idOf(thing) !== hold.id) return
  const owner = { who: hold.who, payer: parts.payerOf(hold.who.keyId) }
  const ended = await settleThing(parts, owner, upstream, form, thing)
  if (ended === null) return
  const used = await usedIn(upstream, form, ended.results, stopping)
  await settleBatch(parts, owner, upstream, hold.id, used)
  parts.holds.end(hold.upstream, hold.id)
}

async function thingAt(upstream: Upstream, path: string, stopping: AbortSignal): Promise<JsonRecord | null> {
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(QUESTION_MS)])
  const answer = await upstream.ask?.(path, signal)
  if (answer === undefined) return null
  const text = await textOf(answer, MOST_BATCH_BYTES)
  return answer.ok ? parsedRecord(text) : null
}

/** @throws Error when the results do not come whole */
async function usedIn(upstream: Upstream, form: ObjectForm, path: string, stopping: AbortSignal) {
  if (form.usedIn === undefined) return []
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(RESULTS_MS)])
  const answer = await upstream.ask?.(path, signal)
  if (answer?.ok !== true || answer.body === null) throw new Error(`its results could not be read (${answer?.status})`)
  const sum = createResultsSum(form.usedIn)
  for await (const chunk of answer.body) sum.feed(Buffer.from(chunk))
  return sum.end()
}
