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
  /** In place of the one that the path of the client names. */
  readonly model?: string
}

/** Asks one upstream. What it keeps belongs to an account, so its first key is used, whichever others rest. */
export async function ask(
  job: ObjectJob,
  upstream: Upstream,
  { body, sink, page = null, model }: Sent,
): Promise<ForwardEnd> {
  const { call, dialect, form: things, slot } = job
  const { method, object } = call.endpoint
  const path = pathAt(upstream.basePath, job, page, model)
  const request: ForwardRequest = {
    dispatcher: upstream.dispatcher,
    method,
    path,
    headers: [
      ...headersOf(job, body),
      ...upstream.credential(0, { path, body: NO_BODY }),
      ...clientHeaders(call, dialect),
      ...headersFor(call, things.requestHeaders),
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

/** Below the version, with the id or the model, and what of the query is passed on: once, as Gate has read it. */
function pathAt(basePath: string, { call, form }: ObjectJob, page: Sent['page'] = null, model?: string): string {
  const { endpoint, param, url } = call
  const { before = '' } = endpoint
  const version = basePath.lastIndexOf('/')
  const base = before === '' ? basePath : basePath.slice(0, version) + before + basePath.slice(version)
  const below = endpoint.path.slice(before.length)
  const name = model === undefined ? encodeURIComponent(param) : encodeURIComponent(model).replaceAll('%2F', '/')
  const path = base + below.slice(below.indexOf('/', 1)).replace(/\{\w+\}/, () => name)
  const asked = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?') + 1) : '')
  const query = new URLSearchParams()
  for (const [key, value] of asked) if (form.queries.includes(key) && !query.has(key)) query.set(key, value)
  if (page !== null) query.set(...page)
  return query.size === 0 ? path : `${path}?${query}`
}

function headersFor({ headers }: ObjectJob['call'], names: readonly string[] = []): string[] {
  return names.flatMap((name) => {
    const value = headers[name]
    return typeof value === 'string' ? [name, value] : []
  })
}

function headersOf({ call: { headers, endpoint } }: ObjectJob, body: Sent['body']): string[] {
  const out = ['accept-encoding', 'identity']
  if (body === null) return out
  const { 'content-type': type, 'content-length': length } = headers
  if (endpoint.takes === undefined) out.push('content-type', 'application/json')
  else if (typeof type === 'string') out.push('content-type', type)
  if (endpoint.takes !== undefined && typeof length === 'string') out.push('content-length', length)
  return out
}
