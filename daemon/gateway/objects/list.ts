import { parsedRecord } from '../../translate/json-value.ts'
import type { Sink } from '../../upstream/answer-form.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import { sendJson } from '../send-json.ts'
import { ownerOf, settleThing } from './batch.ts'
import { metered, type ObjectJob, type ObjectParts, tell } from './job.ts'
import { ask } from './send.ts'

/** So many pages of an upstream are looked through for one that has something of the key. */
const MOST_PAGES = 20

/**
 * The first page of an upstream's list that has something of this key, without what others have: all keys of Gate are
 * one account there. @param upstream null: none keeps anything
 */
export async function listOf(parts: ObjectParts, job: ObjectJob, upstream: Upstream | null): Promise<void> {
  const { form, known, exchange } = job
  const { answer } = exchange
  if (upstream === null || !known.upstreams().includes(upstream.name)) return sendJson(answer, 200, form.nothing)
  let page: readonly [string, string] | null = null
  for (let pages = 1; ; pages += 1) {
    const sink = collecting(answer)
    const end = await metered(parts, job, upstream, pages, () => ask(job, upstream, { body: null, sink, page }))
    const list = end.kind === 'answered' ? parsedRecord(end.rest.toString('utf8')) : null
    if (list === null) return tell(parts, job, upstream, end)
    const own = form.itemsIn(list).filter((thing) => known.upstreamOf(form.idOf(thing) ?? '') === upstream.name)
    for (const thing of own) await settleThing(parts, ownerOf(job), upstream, form, thing)
    page = form.nextPage(list)
    if (own.length === 0 && page !== null && pages < MOST_PAGES) continue
    return sendJson(answer, 200, form.withItems(list, own.map(form.shown), own.length > 0 && page !== null))
  }
}

/** Nothing of a page is sent as it is. */
function collecting(answer: Sink): Sink {
  return {
    started: () => false,
    start: () => {},
    write: () => true,
    onDrain: (resume) => resume(),
    onGone: (cancel) => answer.onGone(cancel),
  }
}
