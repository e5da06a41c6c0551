import { GateError } from '../../../schemas/words/errors.ts'
import { outlineOf } from '../../../syntax/json/outline.ts'
import type { Principal } from '../../auth/principal.ts'
import type { KeyRoutes } from '../../route/routes.ts'
import type { Endpoint } from '../../translate/call.ts'
import type { Dialect } from '../../translate/dialect.ts'
import { type JsonRecord, parsedRecord } from '../../translate/json-value.ts'
import { readMembers } from '../../translate/model-request.ts'
import type { ForwardEnd } from '../../upstream/forward-end.ts'
import { admit, callOf, callWithBody, type Exchange } from '../exchange.ts'
import { spentError } from '../paying.ts'
import { ownerOf, resultsTo, settleBatch, settleThing } from './batch.ts'
import { readRequests } from './file-requests.ts'
import { metered, type ObjectJob, type ObjectParts, tell } from './job.ts'
import { listOf } from './list.ts'
import { reserveFor } from './making.ts'
import { withOwnModels } from './models.ts'
import { ask } from './send.ts'
import { UPLOAD_BOUNDS, upload } from './upload.ts'
import { keeperOf, onlyKeeper } from './which.ts'

/** A row of the endpoints about what upstreams keep. */
export type ObjectRow = { readonly dialect: Dialect; readonly endpoint: Endpoint }

/**
 * Passes a request on to the upstream that keeps what it is about; what a key made, only that key is shown.
 * @throws GateError OBJECT_NOT_FOUND, INVALID_JSON, BAD_REQUEST and those of admission
 */
export async function passObject(
  parts: ObjectParts,
  exchange: Exchange,
  { dialect, endpoint }: ObjectRow,
  param: string,
  principal: Principal,
  originOf: () => string,
): Promise<void> {
  const { keyId, allowed } = principal
  const { objects: form } = dialect
  if (form === undefined) throw new RangeError(`${dialect.name} has no form of objects`)
  if (endpoint.isPaidFor === true) checkMoney(parts, principal)
  const slot = admit(exchange, endpoint, parts)
  try {
    const known = parts.objects.of(keyId)
    const isJson = (endpoint.method === 'POST' || endpoint.method === 'PATCH') && endpoint.takes === undefined
    const call = isJson ? await callWithBody(exchange, endpoint, param, slot) : callOf(exchange, endpoint, param)
    if (call.body.length > 0) readMembers(call.outline ?? outlineOf(call.body), form.deciding)
    const routes = parts.routes().of(allowed)
    const job = {
      exchange,
      keyId,
      payer: principal,
      isLimited: allowed !== null,
      routes,
      dialect,
      form,
      call,
      known,
      slot,
    }
    await serve(allowed === null ? parts : { ...parts, upstreams: within(parts.upstreams, routes) }, job, originOf)
  } finally {
    slot.release()
  }
}

/** Where nothing is left no body is read. @throws GateError BUDGET_EXHAUSTED */
function checkMoney({ budgets, now }: ObjectParts, principal: Principal): void {
  if (budgets.pots.isEmpty()) return
  const spent = budgets.spentOf(budgets.pots.ofPayer(principal))
  if (spent !== null) throw spentError(spent.pot, spent.window, now())
}

/** The upstreams that have something for the key. */
function within(upstreams: ObjectParts['upstreams'], { reaches }: KeyRoutes): ObjectParts['upstreams'] {
  return {
    get: (name) => (reaches(name) ? upstreams.get(name) : undefined),
    all: () => upstreams.all().filter(({ name }) => reaches(name)),
  }
}

async function serve(parts: ObjectParts, job: ObjectJob, originOf: () => string): Promise<void> {
  const { exchange, dialect, form, call, known } = job
  const { answer } = exchange
  const { object, takes } = call.endpoint
  const named = keeperOf(parts.upstreams, job)
  if (object === 'list') {
    const upstream = named ?? onlyKeeper(parts.upstreams, dialect, known.upstreams())
    return listOf(parts, job, upstream)
  }
  const { meant, body, targetOf } = withOwnModels(parts, job, named)
  const upstream = meant ?? onlyKeeper(parts.upstreams, dialect, null)
  if (upstream === null) {
    const message = `no upstream keeps things for clients of ${dialect.name}; configure one of provider "${form.provider}"`
    throw new GateError('BAD_REQUEST', message)
  }
  const making = await reserveFor(parts, job, upstream, targetOf)
  let made: JsonRecord | null = null
  try {
    const requests = form.requests?.isWhole(call) === true ? readRequests(form.requests) : null
    const sent = takes === undefined ? body : upload(exchange, UPLOAD_BOUNDS, requests?.feed)
    const model = form.modelIn?.(call) ?? null
    const results = resultsTo(answer, job)
    const end = await metered(parts, job, upstream, 1, () =>
      ask(job, upstream, {
        body: sent,
        sink: results?.sink ?? answer,
        ...(model !== null && { model: targetOf(model) }),
      }),
    )
    if (results !== null) await settleBatch(parts, ownerOf(job), upstream, form.idFor(call), results.used(end))
    if (!exchange.request.complete) answer.closeConnection() // what else comes is the rest of the upload
    if (end.kind === 'answered') {
      const begun = form.begun?.(call, end.headers, originOf()) ?? null
      if (begun?.id != null) known.bind(begun.id, upstream.name)
      if (begun !== null) return tell(parts, job, upstream, { ...end, headers: begun.headers })
      if (form.endsUpload?.(call, end.headers) === true) known.forget(form.idFor(call))
    }
    const thing = end.kind === 'answered' && object !== 'content' ? parsedRecord(end.rest.toString('utf8')) : null
    if (thing === null) return tell(parts, job, upstream, end)
    made = thing
    making?.keep(thing)
    const inFile = requests?.end() ?? []
    if (inFile.length > 0) parts.holds.noteFile(upstream.name, form.idOf(thing) ?? '', inFile)
    if (object === 'remove') known.forget(form.idFor(call))
    else for (const id of form.idsIn(thing)) known.bind(id, upstream.name)
    await settleThing(parts, ownerOf(job), upstream, form, thing)
    const shown = form.shown(thing)
    const rest = shown === thing || end.kind !== 'answered' ? {} : { rest: Buffer.from(JSON.stringify(shown)) }
    tell(parts, job, upstream, { ...end, ...rest } as ForwardEnd)
  } finally {
    if (made === null) making?.giveUp()
  }
}
