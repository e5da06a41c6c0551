import type { Reservation } from '../../admit/reservation.ts'
import { type JsonRecord, parsedRecord, textIn } from '../../translate/json-value.ts'
import { LineScanner } from '../../translate/lines.ts'
import type { ObjectForm } from '../../translate/object-form.ts'
import { utf8Of } from '../../translate/sse.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import { ownerOf } from './batch.ts'
import { addRequest, type BatchPart, worstOfPart } from './batch-cost.ts'
import type { ObjectJob, ObjectParts } from './job.ts'

/** A batch that is about to be made: keep it when it is, else give back what is reserved for it. */
type Making = { readonly keep: (thing: JsonRecord) => void; readonly giveUp: () => void }

/**
 * Reserves what a batch can cost at most, by the requests in its body, or in its file if that went up through Gate.
 * @param targetOf what the upstream calls a model @returns null: no batch is made
 * @throws GateError when a budget does not allow it
 */
export async function reserveFor(
  { holds, priceOf, longestAnswerOf, budgets, now }: ObjectParts,
  job: ObjectJob,
  { name, provider }: Upstream,
  targetOf: (model: string) => string,
): Promise<Making | null> {
  const { call, form, dialect, payer } = job
  if (call.endpoint.about !== 'batches' || call.endpoint.object !== 'create') return null
  const at = now()
  const wanted = partsOf(job, targetOf, (file) => holds.partsOfFile(name, file)).map((part) => {
    const target = { upstream: name, model: part.target, weight: 1 }
    return { part, worst: worstOfPart(part, priceOf(target), longestAnswerOf(target)) }
  })
  const reserved: readonly Reservation[] = await holds.reserve(payer, { upstream: name, provider }, wanted)
  const parts = wanted.map(({ part, worst: { amount } }) => ({ ...part, amount }))
  const giveUp = () => {
    for (const one of reserved) budgets.release(one)
  }
  return {
    giveUp,
    keep(thing) {
      const id = textIn(thing['id'])
      if (id === null || form.stateOf(thing) === null) return giveUp()
      const { who } = ownerOf(job)
      holds.keep({ dialect: dialect.name, upstream: name, provider, id, at, who, parts }, reserved)
    },
  }
}

function partsOf(
  { call, form }: ObjectJob,
  targetOf: (model: string) => string,
  partsOfFile: (file: string) => readonly BatchPart[],
): readonly BatchPart[] {
  const body = parsedRecord(call.body.toString('utf8'))
  if (body === null) return []
  const file = form.refersTo(body)
  if (form.requestsIn === undefined) return file === null ? [] : partsOfFile(file)
  const parts = new Map<string, BatchPart>()
  for (const request of form.requestsIn(body)) addRequest(parts, request, targetOf)
  return [...parts.values()]
}

/** Reads an upload as it passes: what its lines ask for, where they are requests of a batch. */
export function readRequests({ requestOf }: Pick<ObjectForm, 'requestOf'>) {
  const parts = new Map<string, BatchPart>()
  const scanner = new LineScanner((json) => {
    if (requestOf === undefined || json === null || !json.startsWith('{') || !json.includes('"custom_id"')) return
    const line = parsedRecord(utf8Of(json))
    const request = line === null ? null : requestOf(line, json.length)
    if (request !== null) addRequest(parts, request)
  })
  return {
    feed: (chunk: Buffer) => scanner.feed(chunk),
    end(): readonly BatchPart[] {
      scanner.feed(LINE_END)
      return [...parts.values()]
    },
  }
}

const LINE_END = Buffer.from('\n')
