import { GateError } from '../../schemas/words/errors.ts'
import type { Log, LogFields } from '../../schemas/words/log.ts'
import { OPENING_BRACE } from '../../syntax/json/brackets.ts'
import { clientAddress } from '../admit/address.ts'
import type { Metrics } from '../meter/metrics.ts'
import type { Target } from '../route/target-health.ts'
import type { ForwardEnd, ResponseHeaders } from '../upstream/forward-end.ts'
import { isOfType } from '../upstream/media-type.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Answer } from './answer.ts'
import type { Conclusion } from './ends.ts'
import type { Exchange } from './exchange.ts'
import { retryAfterMs } from './retry-after.ts'

type Rejection = Extract<ForwardEnd, { readonly kind: 'rejected' }>

/** Sent to a client with a 429 of an upstream that names no time itself: SDKs wait only when they are told to. */
const RETRY_AFTER_S = 1

const LONGEST_REASON = 500
const JSON_TYPE = { 'content-type': 'application/json' }

/**
 * Tells the client how the last attempt ended. @param now Unix milliseconds
 * @param upstreamOf where an upstream is configured, and as what; undefined when it is not any more
 */
export function conclude(
  answer: Answer,
  conclusion: Conclusion,
  now: () => number,
  upstreamOf: (name: string) => Pick<Upstream, 'table' | 'provider'> | undefined,
): void {
  if (conclusion.kind === 'gone') return
  const { target, end } = conclusion
  switch (end.kind) {
    case 'answered':
      answer.end(end.status, end.headers, end.rest)
      break
    case 'rejected':
      passRejectionOn(answer, remedyFor(target, upstreamOf(target.upstream)), target, end, now)
      break
    case 'reported':
    case 'unreached':
    case 'broken-before':
    case 'broken-within':
      answer.fail(named(end.error, target))
      break
    case 'unsent':
    case 'overloaded':
    case 'overloaded-within':
      answer.fail(end.error)
      break
    case 'reported-within':
      answer.finish()
      break
    case 'gone':
      break
  }
}

function named(error: GateError, { upstream }: Target): GateError {
  return new GateError(error.code, `${error.message} (upstream "${upstream}")`, { cause: error })
}

/** What helps where an upstream does not know Gate's key. */
function remedyFor({ upstream }: Target, found: Pick<Upstream, 'table' | 'provider'> | undefined): string {
  if (found?.provider !== 'peer') return `set ${found?.table ?? 'upstreams'}.${upstream}.api_key`
  return `ask that gateway for an invitation for this one, and give it to "gatectl peer accept ${upstream}"`
}

function passRejectionOn(
  answer: Answer,
  remedy: string,
  { upstream }: Target,
  { status, headers, body }: Rejection,
  now: () => number,
): void {
  const message = `upstream "${upstream}" answered ${status}`
  const waitMs = retryAfterMs(headers, now())
  const retryAfterS = waitMs === null ? null : Math.ceil(waitMs / 1_000)
  if (status === 401 || status === 403 || status === 407) {
    // the client's own key is fine: what was refused is the operator's, so the status must not be passed on
    answer.fail(
      new GateError('UPSTREAM_FAILED', `upstream "${upstream}" refused Gate's credentials (${status}); ${remedy}`),
    )
  } else if (status === 429) {
    const askedS = retryAfterS ?? RETRY_AFTER_S
    if (answer.started() || !isJson(headers, body)) {
      answer.fail(new GateError('TOO_MANY_REQUESTS', message, { retryAfterS: askedS }))
    } else
      answer.end(status, { ...JSON_TYPE, ...headers, 'retry-after': String(askedS) }, identified(answer, headers, body))
  } else if (answer.started() || status < 400 || status > 599) answer.fail(new GateError('UPSTREAM_FAILED', message))
  else if (isJson(headers, body)) answer.end(status, { ...JSON_TYPE, ...headers }, identified(answer, headers, body))
  else if (status >= 500)
    answer.fail(new GateError('UPSTREAM_FAILED', message, retryAfterS === null ? {} : { retryAfterS }))
  else {
    // what is wrong with the request is for the client to fix: the same status, in words that its SDK reads
    const reason = isText(headers) ? body.toString('utf8', 0, LONGEST_REASON).trim() : ''
    const error = new GateError('BAD_REQUEST', reason === '' ? message : `${message}: ${reason}`, { status })
    const told = Buffer.from(JSON.stringify(answer.dialect.errorBody(error, answer.requestId)))
    answer.end(status, JSON_TYPE, told)
  }
}

/** An error as it came, with the id that its headers have. */
function identified({ dialect: { requestIdIn }, requestId }: Answer, headers: ResponseHeaders, body: Buffer): Buffer {
  if (requestIdIn === undefined) return body
  return requestIdIn.error(body, String(headers[requestIdIn.header] ?? requestId))
}

/** Whether an error is JSON: by its type (RFC 6839 section 3.1), or without one by its first byte. */
function isJson(headers: ResponseHeaders, body: Buffer): boolean {
  const type = headers['content-type']
  if (type === undefined || body.length === 0) return body[0] === OPENING_BRACE
  return /^(?:application|text)\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(String(type))
}

function isText(headers: ResponseHeaders): boolean {
  const type = headers['content-type']
  return type === undefined || isOfType(type, 'text/plain')
}

/** Tells the client why its request was not served; a fault of Gate's own goes to the log alone. */
export function refuse(
  { log, metrics }: { readonly log: Log; readonly metrics: Pick<Metrics, 'refused'> },
  answer: Answer,
  error: unknown,
): void {
  const { requestId } = answer
  const isKnown = error instanceof GateError
  if (!isKnown) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    log('error', 'request failed unexpectedly', { request_id: requestId, error: text })
  }
  const refusal = isKnown ? error : new GateError('INTERNAL', `Gate failed; its log has the reason under ${requestId}`)
  if (refusal.code === 'BODY_TOO_LARGE') answer.closeConnection() // the rest of the body is not worth reading
  metrics.refused(refusal.code)
  answer.fail(refusal)
}

/** One line for each request. @param endedAt monotonic milliseconds @param trusted proxies that are believed about who they speak for */
export function logRequest(
  log: Log,
  { request, answer, via, path, startedAt }: Exchange,
  endedAt: number,
  trusted: Parameters<typeof clientAddress>[2],
): void {
  const { wait, row, keyName } = answer.progress
  const fields: { -readonly [F in keyof LogFields]: LogFields[F] } = {
    request_id: answer.requestId,
    client: clientAddress(via.peer, request.headers['x-forwarded-for']?.toString(), trusted),
    method: request.method ?? '',
    path,
    status: answer.status(),
    duration_ms: Math.round(endedAt - startedAt),
  }
  if (keyName !== '') fields.key = keyName
  if (row !== null) {
    if (row.model !== '') fields.model = row.model
    fields.upstream = row.upstream
    fields.input_tokens = row.inputTokens
    fields.output_tokens = row.outputTokens
  }
  if (wait !== null) {
    fields.wait = wait.kind
    fields.wait_ms = wait.ms
  }
  log(answer.status() >= 500 ? 'warn' : 'info', 'request', fields)
}
