import type { Reservation } from '../../admit/reservation.ts'
import { type JsonRecord, parsedRecord } from '../../translate/json-value.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import { ownerOf } from './batch.ts'
import { addRequest, type BatchPart, UNREAD, worstOfPart, worstOfUnread } from './batch-cost.ts'
import { requestsOfUnknown } from './file-requests.ts'
import type { HeldPart } from './holds.ts'
import type { ObjectJob, ObjectParts } from './job.ts'

/** Models that requests may be for which could not be read. */
const MOST_CANDIDATES = 300

/** A batch, or a cache, that is about to be made: keep it when it is, else give back what is reserved for it. */
type Making = { readonly keep: (thing: JsonRecord) => void; readonly giveUp: () => void }

/**
 * Reserves what a batch or a cache can cost at most, by what is in its body, or in its file if that went up through Gate.
 * @param targetOf what the upstream calls a model @returns null: nothing is made that is paid for
 * @throws GateError when a budget does not allow it
 */
export async function reserveFor(
  { holds, priceOf, longestAnswerOf, budgets, now }: ObjectParts,
  job: ObjectJob,
  upstream: Upstream,
  targetOf: (model: string) => string,
): Promise<Making | null> {
  const { call, form, dialect, payer } = job
  if (call.endpoint.isPaidFor !== true) return null
  const { name, provider } = upstream
  const at = now()
  const candidate = (model: string) => {
    const target = { upstream: name, model, weight: 1 }
    return { price: priceOf(target), longest: longestAnswerOf(target) }
  }
  holds.refuseMore(payer.keyId)
  const asked = await partsOf(job, upstream, targetOf, (file) => holds.partsOfFile(name, file))
  const wanted = asked.map((part) => {
    if (part.model !== UNREAD) {
      const { price, longest } = candidate(part.target)
      return { part, worst: worstOfPart(part, price, longest) }
    }
    const mayBe = modelsAt(job, name)
    const worst = worstOfUnread(
      part,
      mayBe.map(({ target }) => candidate(target)),
    )
    return { part: { ...part, mayBe }, worst }
  })
  const reserved: readonly Reservation[] = await holds.reserve(payer, { upstream: name, provider }, wanted)
  const parts = wanted.map(({ part, worst: { amount } }) => ({ ...part, amount }))
  const giveUp = () => {
    for (const one of reserved) budgets.release(one)
  }
  return {
    giveUp,
    keep(thing) {
      const id = form.idOf(thing)
      if (id === null || form.stateOf(thing) === null) return giveUp()
      const { who } = ownerOf(job)
      holds.keep({ dialect: dialect.name, upstream: name, provider, id, at, who, parts }, reserved)
    },
  }
}

/** The models of an upstream that the key may use. */
function modelsAt({ routes }: ObjectJob, upstream: string): NonNullable<HeldPart['mayBe']> {
  return routes
    .list()
    .flatMap(({ id, targets }) =>
      targets.flatMap((target) => (target.upstream === upstream ? [{ model: id, target: target.model }] : [])),
    )
    .slice(0, MOST_CANDIDATES)
}

async function partsOf(
  { call, form }: ObjectJob,
  upstream: Upstream,
  targetOf: (model: string) => string,
  partsOfFile: (file: string) => readonly BatchPart[],
): Promise<readonly BatchPart[]> {
  const body = parsedRecord(call.body.toString('utf8'))
  if (body === null) return []
  const model = form.modelIn?.(call) ?? null
  const file = form.refersTo(body)
  if (file !== null) {
    const known = partsOfFile(file)
    const inFile = known.length > 0 ? known : await requestsOfUnknown(upstream, form, file)
    return inFile.map((part) => (model === null ? part : { ...part, model, target: targetOf(model) }))
  }
  const parts = new Map<string, BatchPart>()
  for (const request of form.requestsIn?.(body, model) ?? []) addRequest(parts, request, targetOf)
  return [...parts.values()]
}
