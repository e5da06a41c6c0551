import { GateError } from '../../schemas/words/errors.ts'
import type { Log } from '../../schemas/words/log.ts'
import type { Metrics } from '../meter/metrics.ts'
import type { Target } from '../route/target-health.ts'
import { type ForwardEnd, isOfType } from '../upstream/forward.ts'
import type { ClientResponse } from './answer.ts'
import { retryAfterMs } from './attempt.ts'
import type { Conclusion } from './attempts.ts'
import type { Exchange } from './exchange.ts'

type Rejection = Extract<ForwardEnd, { readonly kind: 'rejected' }>

/** Told to a client with a 429 of an upstream that says no time itself: SDKs wait only when they are told to. */
const RETRY_AFTER_MS = 1_000

/** Tells the client how the last attempt ended. */
export function conclude(client: ClientResponse, conclusion: Conclusion): void {
  if (conclusion.kind === 'gone') return
  const { target, end } = conclusion
  switch (end.kind) {
    case 'answered':
      client.end(end.status, end.headers, end.rest)
      break
    case 'rejected':
      passRejectionOn(client, target, end)
      break
    case 'reported':
    case 'unreached':
    case 'broken-before':
    case 'broken-within':
      client.fail(named(end.error, target))
      break
    case 'reported-within':
      client.finish()
      break
    case 'gone':
      break
  }
}

function named(error: GateError, { upstream }: Target): GateError {
  return new GateError(error.code, `${error.message} (upstream "${upstream}")`, { cause: error })
}

function passRejectionOn(client: ClientResponse, { upstream }: Target, { status, headers, body }: Rejection): void {
  if (status === 401 || status === 403) {
    // the client's own key is fine: what was refused is the operator's, so the status must not be passed on
    const message = `upstream "${upstream}" refused Gate's credentials (${status}); set upstreams.${upstream}.api_key`
    client.fail(new GateError('UPSTREAM_FAILED', message))
  } else if (client.started() || status < 400 || !isOfType(headers['content-type'], 'application/json')) {
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

/** Tells the client why its request was not served; a fault of Gate's own is told to the log alone. */
export function refuse(
  { log, metrics }: { readonly log: Log; readonly metrics: Pick<Metrics, 'refused'> },
  client: ClientResponse,
  error: unknown,
): void {
  const { requestId } = client
  const isKnown = error instanceof GateError
  if (!isKnown) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    log('error', 'request failed unexpectedly', { request_id: requestId, error: text })
  }
  const refusal = isKnown ? error : new GateError('INTERNAL', `Gate failed; its log has the reason under ${requestId}`)
  if (refusal.code === 'BODY_TOO_LARGE') client.closeConnection() // the rest of the body is not worth reading
  metrics.refused(refusal.code)
  client.fail(refusal)
}

/** One line for each request. */
export function logRequest(
  { log, monotonic }: { readonly log: Log; readonly monotonic: () => number },
  { request, client, path, startedAt }: Exchange,
): void {
  const { wait } = client
  log(client.status() >= 500 ? 'warn' : 'info', 'request', {
    request_id: client.requestId,
    method: request.method ?? '',
    path,
    status: client.status(),
    duration_ms: Math.round(monotonic() - startedAt),
    ...(wait !== null && { wait: wait.kind, wait_ms: wait.ms }),
  })
}
