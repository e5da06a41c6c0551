import type { Readable } from 'node:stream'
import type { Sink } from '../../upstream/answer-form.ts'
import { type ForwardRequest, forward } from '../../upstream/forward.ts'
import type { ForwardEnd } from '../../upstream/forward-end.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import { clientHeaders } from '../client-headers.ts'
import type { ObjectJob } from './job.ts'

type Sent = {
  readonly body: Buffer | Readable | null
  readonly sink: Sink
  /** Added to the query, in place of what the client said there. */
  readonly page?: readonly [string, string] | null
}

/** Asks one upstream. What it keeps belongs to an account, so its first key is used, whichever others rest. */
export async function ask(job: ObjectJob, upstream: Upstream, { body, sink, page = null }: Sent): Promise<ForwardEnd> {
  const { call, dialect, slot } = job
  const { method, object } = call.endpoint
  const path = upstream.basePath + pathOf(job, page)
  const request: ForwardRequest = {
    dispatcher: upstream.dispatcher,
    method,
    path,
    headers: [
      ...headersOf(job, body),
      ...upstream.credential(0, { path, body: NO_BODY }),
      ...clientHeaders(call, dialect),
    ],
    body,
    headersTimeoutMs: upstream.headersTimeoutMs,
    idleTimeoutMs: upstream.idleTimeoutMs,
    redactor: upstream.redactor,
    hold: slot.holdAnswer,
  }
  const form = {
    mediaType: NO_TYPE,
    looksLikeStream: () => false,
    watch: () => {
      throw new RangeError('nothing here is a stream of answers')
    },
    isWhole: object !== 'content',
    failureOf: () => null,
  }
  const end = await forward(request, sink, form, () => performance.now())
  const isSafe = body === null || Buffer.isBuffer(body)
  if (end.kind !== 'unreached' || !end.wasKept || !isSafe || upstream.newConnection === null) return end
  return forward({ ...request, dispatcher: upstream.newConnection() }, sink, form, () => performance.now())
}

const NO_BODY = Buffer.alloc(0)
/** No answer has this type: files of any type pass as they are. */
const NO_TYPE = 'none/none'

/** Below the version, with the id and what of the query is passed on. */
function pathOf({ call, form }: ObjectJob, page: Sent['page'] = null): string {
  const { endpoint, param, url } = call
  const path = endpoint.path.slice(endpoint.path.indexOf('/', 1)).replace('{id}', encodeURIComponent(param))
  const asked = new URLSearchParams(url.slice(url.indexOf('?') + 1))
  const query = new URLSearchParams([...asked].filter(([name]) => url.includes('?') && form.queries.includes(name)))
  if (page !== null) query.set(...page)
  return query.size === 0 ? path : `${path}?${query}`
}

function headersOf({ call: { headers, endpoint } }: ObjectJob, body: Sent['body']): string[] {
  const out = ['accept-encoding', 'identity']
  if (body === null) return out
  out.push('content-type', endpoint.takes === 'form' ? String(headers['content-type']) : 'application/json')
  const length = headers['content-length']
  if (endpoint.takes === 'form' && typeof length === 'string') out.push('content-length', length)
  return out
}
