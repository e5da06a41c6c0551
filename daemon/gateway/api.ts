import type { AdminProblem } from '../../schemas/admin.ts'
import { GateError } from '../../schemas/words/errors.ts'
import type { Log } from '../../schemas/words/log.ts'
import { dispatch } from '../admin/dispatch.ts'
import { describe, problemOf } from '../admin/error.ts'
import type { OtherRoute } from '../admin/openapi.ts'
import type { Reply } from '../admin/reply.ts'
import type { ApiRoute, Caller } from '../admin/route.ts'
import { readBody } from '../admit/body.ts'
import type { Audit } from '../audit/entry.ts'
import type { Principal } from '../auth/principal.ts'
import { isOfType } from '../upstream/media-type.ts'
import type { Answer, Manner } from './answer.ts'
import type { ApiRow, Found, Row } from './endpoints.ts'
import type { Exchange } from './exchange.ts'
import type { GatewaySettings } from './settings.ts'

/** What serves the routes of the API; assembly/ gives it before anything listens. */
export type Api = {
  readonly routes: readonly ApiRoute[]
  readonly audit: Pick<Audit, 'require' | 'record'>
  /** Aborts when the daemon stops. */
  readonly stopping: AbortSignal
}

const LARGEST_BODY_BYTES = 2 ** 20
const NO_SCOPES: Principal['scopes'] = new Set()
const PROBLEM_TYPE = 'application/problem+json'
/** Answers hold what only their caller may see. */
const FIXED = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

/** How refusals are told on the routes of the API: RFC 9457. */
export const API_MANNER: Manner = {
  streamType: 'text/event-stream',
  errorType: PROBLEM_TYPE,
  errorBody: (error) => problemOf(error),
  errorFrame: (error) => `event: error\ndata: ${JSON.stringify(problemOf(error))}\n\n`,
  ping: ':\n\n',
  hiddenHeaders: null,
}

/** Whether a request is of the API, whose refusals are problems in whatever way they come about. */
export function isOfApi(found: Found, path: string): boolean {
  if (found.kind === 'row') return found.row.kind === 'api'
  if (found.kind === 'wrong-method') return found.rows[0]?.kind === 'api'
  return /^\/(?:api\/(?:admin|user)|auth)(?:\/|$)/.test(path)
}

export function apiRow(route: ApiRoute): ApiRow {
  const { method, path, scope } = route
  return { kind: 'api', method, path, scope: scope === 'public' ? null : scope, route }
}

/** A row of another kind, for the OpenAPI document. */
export function otherRoute({ method, path, scope, dialect }: Row): OtherRoute {
  return { method, path, scope: scope ?? 'public', ...(dialect !== undefined && { dialect: dialect.name }) }
}

/** Answers a request by a route of the API. @throws GateError what the gateway refuses by itself */
export async function serveApi(
  { log, api }: { readonly log: Log; readonly api: Api },
  exchange: Exchange,
  route: ApiRoute,
  principal: Principal,
  settings: GatewaySettings,
): Promise<void> {
  const { request, answer, url, path } = exchange
  // signing out ends the credential that asks for it: short answers are not cut off, streams are
  if (route.answer !== 'stream') answer.progress.principal = null
  const body = await bodyOf(exchange, route)
  const left = new AbortController()
  answer.onGone(() => left.abort())
  const caller = callerOf(exchange, principal, settings)
  const signal = AbortSignal.any([left.signal, api.stopping])
  const asker = route.scope === 'public' ? { ...principal, scopes: NO_SCOPES } : principal
  const call = {
    principal: asker,
    path,
    search: url.slice(path.length),
    body,
    headers: request.headers,
    caller,
    signal,
  }
  try {
    const reply = await dispatch(route, call, api.audit)
    await sendReply(exchange, route, principal.via === 'break-glass' ? withBreakGlass(reply) : reply)
  } catch (error) {
    if (error instanceof GateError || answer.started()) throw error
    const problem = problemOf(error)
    if (problem.status >= 500) log('error', 'API request failed', { path, error: describe(error) })
    sendProblem(answer, problem)
  } finally {
    left.abort()
  }
}

function callerOf({ request: { headers }, via }: Exchange, { name }: Principal, settings: GatewaySettings): Caller {
  const secured = settings.isSecured(headers, via)
  const address = settings.addressOf(headers, via.peer)
  return { address, via: secured ? 'https' : 'http', name, secured }
}

/** Only JSON, or a form where one is taken: a page of another origin cannot send JSON without asking. */
async function bodyOf({ request, answer }: Exchange, { body, takes = 'json' }: ApiRoute): Promise<Buffer> {
  const { headers } = request
  const type = headers['content-type']
  const isForm = takes !== 'json' && isOfType(type, 'application/x-www-form-urlencoded')
  const isOther = body !== undefined && !isForm && !isOfType(type, 'application/json')
  const refuseOther = (hasBody: boolean) => {
    if (hasBody && isOther) throw new GateError('UNSUPPORTED_MEDIA_TYPE', 'send "Content-Type: application/json"')
  }
  refuseOther(headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0)
  let isReleased = false
  const bounds = { maxBytes: LARGEST_BODY_BYTES, hold: () => {}, isReleased: () => isReleased }
  const whole = readBody(request, bounds, () => {})
  answer.askForBody()
  try {
    const bytes = await whole
    refuseOther(bytes.length > 0) // over HTTP/2 no header has to announce it
    return bytes
  } finally {
    isReleased = true
  }
}

function sendProblem(answer: Answer, problem: AdminProblem): void {
  answer.end(problem.status, { ...FIXED, 'content-type': PROBLEM_TYPE }, Buffer.from(JSON.stringify(problem)))
}

/** Whoever works in an emergency is reminded that it is one. */
function withBreakGlass(reply: Reply): Reply {
  return { ...reply, headers: { ...reply.headers, 'x-gate-break-glass': 'on' } }
}

async function sendReply({ request, answer }: Exchange, route: ApiRoute, reply: Reply): Promise<void> {
  answer.own = Object.entries(reply.headers).flatMap(([name, value]) => [value].flat().flatMap((one) => [name, one]))
  switch (reply.kind) {
    case 'json': {
      const body = reply.value === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(reply.value))
      return answer.end(reply.status ?? route.status ?? 200, { ...FIXED, 'content-type': 'application/json' }, body)
    }
    case 'page':
      return answer.end(reply.status, { ...FIXED, 'content-type': reply.type }, Buffer.from(reply.text))
    case 'stream':
      if (request.method === 'HEAD') return answer.end(200, { ...FIXED, 'content-type': reply.type }, Buffer.alloc(0))
      return sendStream(answer, reply.type, reply.chunks)
  }
}

async function sendStream(answer: Answer, type: string, chunks: AsyncIterable<string>): Promise<void> {
  answer.start(200, { ...FIXED, 'content-type': type, 'x-accel-buffering': 'no' })
  try {
    for await (const chunk of chunks) {
      if (answer.isGone()) return
      if (!answer.write(Buffer.from(chunk))) await answer.drained()
    }
    answer.finish()
  } catch (error) {
    if (!answer.isGone()) answer.abandon()
    if (!(error instanceof Error && error.name === 'AbortError')) throw error
  }
}
