import type { IncomingHttpHeaders } from 'node:http'
import { GateError } from '../../schemas/words/errors.ts'
import type { Target } from '../route/target-health.ts'
import type { ForwardEnd, ForwardRequest } from '../upstream/forward.ts'
import type { Upstream } from '../upstream/upstreams.ts'
import type { ClientResponse } from './answer.ts'

type Rejection = Extract<ForwardEnd, { readonly kind: 'rejected' }>

/** Statuses that another target may do better on; any other is about the request itself. */
export const TRY_ELSEWHERE = new Set([401, 403, 404, 408, 429, 500, 502, 503, 504, 529])
/** Told to a client with a 429 of an upstream that says no time itself: SDKs wait only when they are told to. */
const RETRY_AFTER_MS = 1_000
/** Headers of a client that an upstream is told. */
const PASSED_ON = [
  'accept',
  'anthropic-beta',
  'anthropic-version',
  'idempotency-key',
  'openai-beta',
  'traceparent',
  'tracestate',
  'user-agent',
  'x-client-request-id',
] as const

/** The request to send to an upstream: the client's body, the upstream's credential, and the client headers it may see. */
export function forwardRequest(upstream: Upstream, body: Buffer, from: IncomingHttpHeaders): ForwardRequest {
  const headers = ['content-type', 'application/json', ...upstream.headers]
  for (const name of PASSED_ON) {
    const value = from[name]
    if (typeof value === 'string') headers.push(name, value)
  }
  const { dispatcher, basePath, headersTimeoutMs, idleTimeoutMs } = upstream
  return {
    dispatcher,
    method: 'POST',
    path: `${basePath}/chat/completions`,
    headers,
    body,
    headersTimeoutMs,
    idleTimeoutMs,
  }
}

/** Whether the next target may be tried: nothing reached the client, and the fault may be this target's own. */
export function mayTryElsewhere(end: ForwardEnd): boolean {
  if (end.kind === 'rejected') return TRY_ELSEWHERE.has(end.status)
  return end.kind === 'failed' && !end.passed
}

/** Whether the upstream was not there, hung or broke off: what answers there may have to be started again. */
export function isBroken(end: ForwardEnd): boolean {
  return end.kind === 'failed' && !end.told
}

/** Whether nothing at all came back over the connection. */
export function isLost(end: ForwardEnd): boolean {
  return end.kind === 'failed' && end.status === 0 && end.error.code === 'UPSTREAM_FAILED'
}

/** Tells the client how the last attempt ended. */
export function conclude(client: ClientResponse, target: Target, end: ForwardEnd): void {
  switch (end.kind) {
    case 'answered':
      client.end(end.status, end.headers, end.rest)
      break
    case 'gone':
      break
    case 'failed':
      if (end.told) client.finish()
      else
        client.fail(
          new GateError(end.error.code, `${end.error.message} (upstream "${target.upstream}")`, { cause: end.error }),
        )
      break
    case 'rejected':
      passRejectionOn(client, target.upstream, end)
  }
}

function passRejectionOn(client: ClientResponse, upstream: string, { status, headers, body }: Rejection): void {
  if (status === 401 || status === 403) {
    // the client's own key is fine: what was refused is the operator's, so the status must not be passed on
    const message = `upstream "${upstream}" refused Gate's credentials (${status}); set upstreams.${upstream}.api_key`
    client.fail(new GateError('UPSTREAM_FAILED', message))
  } else if (client.started() || status < 400 || !isJson(headers['content-type'])) {
    const message = `upstream "${upstream}" answered ${status}`
    if (status !== 429) client.fail(new GateError('UPSTREAM_FAILED', message))
    else {
      const retryAfterS = Math.ceil((retryAfterMs(headers) ?? RETRY_AFTER_MS) / 1_000)
      client.fail(new GateError('TOO_MANY_REQUESTS', message, { retryAfterS }))
    }
  } else if (status === 429 && headers['retry-after'] === undefined) {
    client.end(status, { ...headers, 'retry-after': String(RETRY_AFTER_MS / 1_000) }, body)
  } else client.end(status, headers, body)
}

/** Milliseconds of a Retry-After in seconds; null when there is none, or it is a date. */
export function retryAfterMs(headers: Readonly<Record<string, string | string[] | undefined>>): number | null {
  const seconds = Number(headers['retry-after'] ?? Number.NaN)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : null
}

/** Whether a Content-Type is JSON. */
export function isJson(contentType: string | string[] | undefined): boolean {
  return String(contentType ?? '')
    .toLowerCase()
    .startsWith('application/json')
}
