import type { Payer } from '../../admit/payer.ts'
import { isRecord, type JsonRecord, parsedRecord } from '../../translate/json-value.ts'
import { LineScanner } from '../../translate/lines.ts'
import type { Usage } from '../../translate/neutral.ts'
import type { BatchUsage, ObjectForm } from '../../translate/object-form.ts'
import { utf8Of } from '../../translate/sse.ts'
import type { Sink } from '../../upstream/answer-form.ts'
import type { ForwardEnd } from '../../upstream/forward-end.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import { batchRow, type Who, whoOf } from '../usage-row.ts'
import { likelyUsage } from './batch-cost.ts'
import type { ObjectJob, ObjectParts } from './job.ts'

/** Models of one batch that are counted apart. */
const MOST_MODELS = 100

/** What counting batches needs. `now` is Unix milliseconds. */
export type CountingParts = Pick<
  ObjectParts,
  'ledger' | 'metrics' | 'budgets' | 'holds' | 'objects' | 'priceOf' | 'now'
>

/** Whom a batch belongs to. */
export type Owner = { readonly who: Who; readonly payer: Payer }
type Place = Pick<Upstream, 'name' | 'provider'>

export const ownerOf = ({ exchange, payer }: Pick<ObjectJob, 'exchange' | 'payer'>): Owner => ({
  who: whoOf(exchange.answer.progress),
  payer,
})

/**
 * Counts what a batch has used, once for each, also after a restart: its rows have the id of the batch, so that the usage
 * log takes them once however often they come. What was held for it is given back. @param all one for each model
 */
export async function settleBatch(
  parts: CountingParts,
  { who, payer }: Owner,
  { name, provider }: Place,
  id: string,
  all: readonly BatchUsage[],
): Promise<void> {
  const { ledger, metrics, budgets, holds, objects, priceOf, now } = parts
  const what = `${name} ${id}`
  if (all.length === 0) return
  if (!objects.isNews(what)) {
    holds.end(name, id)
    return
  }
  const asked = holds.find(name, id)?.parts ?? []
  for (const [index, { model: target, usage, isEstimated = false, isPaidInFull = false }] of all.entries()) {
    const model = (asked.find((part) => part.target === target) ?? (asked.length === 1 ? asked[0] : undefined))?.model
    const facts = { model: model ?? target, usage, isEstimated, isPaidInFull, provider, now: now() }
    const place = { upstream: name, model: target, weight: 1 }
    const row = batchRow({ id: what, number: index + 1, who, target: place, price: priceOf(place), ...facts })
    metrics.attempt(row)
    const destination = { model: row.model, target, upstream: name, provider }
    budgets.charge(payer, destination, row.startedAt, row.costMicrodollars)
    await ledger.settle(row)
  }
  objects.noteCounted(what, name) // not before its rows are written: a kill in between has them written again
  holds.end(name, id) // what is held is looked for after a restart, until it is counted
}

/**
 * The same of a batch that is seen: one that says itself what it has used, or is over and nothing says it.
 * @returns whether it has ended, and where what it has used is to be read; null: it has not, or all is counted
 */
export async function settleThing(
  parts: CountingParts,
  owner: Owner,
  upstream: Place,
  form: ObjectForm,
  thing: JsonRecord,
): Promise<{ readonly results: string } | null> {
  const state = form.stateOf(thing)
  if (state === null || state.kind === 'running') return null
  const id = form.idOf(thing) ?? ''
  if (state.kind === 'void') {
    parts.holds.end(upstream.name, id)
    return null
  }
  const { results } = form.pathsOf(id, thing)
  const used = form.usedBy?.(thing) ?? null
  if (used === null && results !== null) return { results }
  const asked = parts.holds.find(upstream.name, id)?.parts ?? []
  const likely = state.answered === 0 ? [] : asked.map((part) => likelyUsage(part, state.answered))
  await settleBatch(parts, owner, upstream, id, used === null ? likely : [used])
  parts.holds.end(upstream.name, id)
  return null
}

/** Adds up what the lines of results have used, by model. */
export function createResultsSum(usedIn: NonNullable<ObjectForm['usedIn']>) {
  const sums = new Map<string, Usage>()
  const scanner = new LineScanner((json) => {
    const line = json === null ? null : parsedRecord(utf8Of(json))
    const used = isRecord(line) ? usedIn(line) : null
    if (used === null || (sums.size >= MOST_MODELS && !sums.has(used.model))) return
    sums.set(used.model, added(sums.get(used.model), used.usage))
  })
  return {
    feed: (chunk: Buffer) => scanner.feed(chunk),
    /** All of them have come. */
    end(): readonly BatchUsage[] {
      scanner.feed(LINE_END)
      return Array.from(sums, ([model, usage]) => ({ model, usage })).sort((a, b) => (a.model < b.model ? -1 : 1))
    },
  }
}

/** Passes on the results of a batch and adds up what each line has used; null: they are nothing of the kind. */
export function resultsTo(answer: Sink, { call, form, exchange }: ObjectJob) {
  const { usedIn } = form
  const { about, object } = call.endpoint
  if (usedIn === undefined || about !== 'batches' || object !== 'content') return null
  if (exchange.request.headers.range !== undefined) return null
  const sum = createResultsSum(usedIn)
  const sink: Sink = {
    started: () => answer.started(),
    start: (status, headers) => answer.start(status, headers),
    write(chunk) {
      sum.feed(chunk)
      return answer.write(chunk)
    },
    onDrain: (resume) => answer.onDrain(resume),
    onGone: (cancel) => answer.onGone(cancel),
  }
  return {
    sink,
    /** What all of them have used, by model; nothing when they did not come whole. */
    used(end: ForwardEnd): readonly BatchUsage[] {
      if (end.kind !== 'answered' || end.status !== 200) return []
      sum.feed(end.rest)
      return sum.end()
    },
  }
}

const LINE_END = Buffer.from('\n')

function added(sum: Usage | undefined, more: Usage): Usage {
  if (sum === undefined) return more
  return {
    inputTokens: sum.inputTokens + more.inputTokens,
    outputTokens: sum.outputTokens + more.outputTokens,
    cachedTokens: sum.cachedTokens + more.cachedTokens,
    cacheWriteTokens: (sum.cacheWriteTokens ?? 0) + (more.cacheWriteTokens ?? 0),
    longCacheWriteTokens: (sum.longCacheWriteTokens ?? 0) + (more.longCacheWriteTokens ?? 0),
    reasoningTokens: sum.reasoningTokens + more.reasoningTokens,
  }
}
