import { isRecord, type JsonRecord, parsedRecord } from '../../translate/json-value.ts'
import { LineScanner } from '../../translate/lines.ts'
import type { Usage } from '../../translate/neutral.ts'
import type { BatchUsage } from '../../translate/object-form.ts'
import { utf8Of } from '../../translate/sse.ts'
import type { Sink } from '../../upstream/answer-form.ts'
import type { ForwardEnd } from '../../upstream/forward-end.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import { batchRow, whoOf } from '../usage-row.ts'
import type { ObjectJob, ObjectParts } from './job.ts'

/** Models of one batch that are counted apart. */
const MOST_MODELS = 100

/**
 * Counts what a batch has used, once for each, also after a restart: its rows have the id of the batch, so that the usage
 * log takes them once however often they come. @param all one for each model
 */
export async function settleBatch(
  { ledger, metrics, budgets, objects, priceOf, now }: ObjectParts,
  { exchange, payer }: ObjectJob,
  { name, provider }: Upstream,
  id: string,
  all: readonly BatchUsage[],
): Promise<void> {
  const what = `${name} ${id}`
  if (all.length === 0 || !objects.isNews(what)) return
  for (const [index, { model, usage }] of all.entries()) {
    const target = { upstream: name, model, weight: 1 }
    const price = priceOf(target)
    const who = whoOf(exchange.answer)
    const facts = { who, target, provider, usage, price, now: now() }
    const row = batchRow({ id: what, number: index + 1, ...facts })
    metrics.attempt(row)
    budgets.charge(payer, { model, target: model, upstream: name, provider }, row.startedAt, row.costMicrodollars)
    await ledger.settle(row)
  }
  objects.noteCounted(what, name) // not before its rows are written: a kill in between has them written again
}

/** The same of a batch that says itself what it has used. */
export function settleThing(parts: ObjectParts, job: ObjectJob, upstream: Upstream, thing: JsonRecord): Promise<void> {
  const used = job.form.usedBy?.(thing) ?? null
  return settleBatch(parts, job, upstream, String(thing['id']), used === null ? [] : [used])
}

/** Passes on the results of a batch and adds up what each line has used; null: they are nothing of the kind. */
export function resultsTo(answer: Sink, { call, form, exchange }: ObjectJob) {
  const { usedIn } = form
  const { about, object } = call.endpoint
  if (usedIn === undefined || about !== 'batches' || object !== 'content') return null
  if (exchange.request.headers.range !== undefined) return null
  const sums = new Map<string, Usage>()
  const scanner = new LineScanner((json) => {
    const line = json === null ? null : parsedRecord(utf8Of(json))
    const used = isRecord(line) ? usedIn(line) : null
    if (used === null || (sums.size >= MOST_MODELS && !sums.has(used.model))) return
    sums.set(used.model, added(sums.get(used.model), used.usage))
  })
  const sink: Sink = {
    started: () => answer.started(),
    start: (status, headers) => answer.start(status, headers),
    write(chunk) {
      scanner.feed(chunk)
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
      scanner.feed(end.rest)
      scanner.feed(LINE_END)
      return Array.from(sums, ([model, usage]) => ({ model, usage })).sort((a, b) => (a.model < b.model ? -1 : 1))
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
