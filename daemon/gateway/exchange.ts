import { isIP } from 'node:net'
import { isLoopback, parseHostPort } from '../../schemas/words/address.ts'
import { GateError } from '../../schemas/words/errors.ts'
import { OPERATOR_SCOPES } from '../../schemas/words/scopes.ts'
import { type JsonOutline, JsonScanner } from '../../syntax/json/outline.ts'
import type { RouteScope } from '../admin/route.ts'
import { clientAddress } from '../admit/address.ts'
import type { Admission, Slot } from '../admit/admission.ts'
import { authenticate, type Proofs } from '../auth/authenticate.ts'
import { ANYBODY, type Principal, requireScope } from '../auth/principal.ts'
import type { ClientRequest } from '../listener/client-request.ts'
import { checkRequest } from '../listener/request-check.ts'
import type { Via } from '../listener/via.ts'
import type { Ledger } from '../meter/ledger.ts'
import type { Call, Endpoint } from '../translate/call.ts'
import { isOfType } from '../upstream/media-type.ts'
import type { Answer } from './answer.ts'
import type { GatewaySettings } from './settings.ts'

/** One request on its way through the stages, which are the functions below, in their order. */
export type Exchange = {
  readonly request: ClientRequest
  readonly answer: Answer
  readonly via: Via
  /** Monotonic milliseconds. */
  readonly startedAt: number
  /** Path and query of the request target. */
  readonly url: string
  readonly path: string
}

/** What a row asks of a caller; null: nothing at all. */
type RowScope = Exclude<RouteScope, 'public'> | null

const NO_BODY = Buffer.alloc(0)

/**
 * Refuses what is malformed, or comes from an address or asks for a host name that may not.
 * @param closed why no client is served now
 * @throws GateError; the connection is not used again
 */
export function check({ request, answer, via }: Exchange, settings: GatewaySettings, closed: string | undefined): void {
  if (request.headers.expect !== undefined && request.httpVersion !== '1.0') answer.noteBodyWithheld()
  try {
    checkRequest(request)
    if (closed !== undefined) throw new GateError('NOT_READY', `the gateway is closed: ${closed}`)
    checkAddress(request, via.peer, settings)
    checkHost(request, via, settings)
  } catch (error) {
    answer.closeConnection()
    throw error
  }
}

function checkAddress(request: ClientRequest, peer: string | null, settings: GatewaySettings): void {
  const { isOpen, allowFrom, trustedProxies } = settings
  const forwardedFor = request.headers['x-forwarded-for']?.toString()
  // whatever socket this came over: one passed on by systemd may listen elsewhere than server.host says
  if (isOpen && !isLoopback(peer ?? clientAddress(peer, forwardedFor, trustedProxies))) {
    throw new GateError('FORBIDDEN_ADDRESS', 'with auth.mode none only this host is served; set auth.mode to token')
  }
  if (!allowFrom.isEmpty) {
    const address = clientAddress(peer, forwardedFor, trustedProxies)
    if (!allowFrom.has(address))
      throw new GateError('FORBIDDEN_ADDRESS', 'this address may not connect (server.allow_from)')
  }
}

/**
 * Refuses what takes the scope of an operator from addresses that no operator comes from, before it is looked who asks.
 * @param scope of the row @throws GateError FORBIDDEN_ADDRESS; the connection is not used again
 */
export function checkAdminAddress(
  { request, answer, via }: Exchange,
  scope: RowScope,
  settings: GatewaySettings,
): void {
  const { adminAllowFrom, addressOf } = settings
  if (adminAllowFrom.isEmpty || !isOfOperators(scope)) return
  // an address that a relay says is no wall against that relay
  if (via.isRelayed !== true && adminAllowFrom.has(addressOf(request.headers, via.peer))) return
  answer.closeConnection()
  throw new GateError('FORBIDDEN_ADDRESS', 'this address may not administer the gateway (server.admin_allow_from)')
}

const isOfOperators = (scope: RowScope): boolean => scope !== null && OPERATOR_SCOPES.has(scope)

/**
 * Which hosts are served is said by the configuration, or else by the certificate: over HTTP/2 browsers send requests
 * for other hosts on a connection that they have, and 421 sends them to the right one (RFC 9110 section 15.5.20).
 */
function checkHost(request: ClientRequest, { secured, peerNode }: Via, settings: GatewaySettings): void {
  const { isServed, externalHost } = settings
  if (peerNode !== undefined) return // it asks for this gateway by its key
  if (isServed === null && secured === null) return
  const { host } = parseHostPort(request.headers.host ?? '')
  if (isServed !== null) {
    if (!isServed(host)) throw new GateError('MISDIRECTED', 'this host name is not served here (server.allowed_hosts)')
  } else if (secured !== null && !secured.isFor(host) && host !== externalHost && isIP(host) === 0) {
    if (host === '' || isLoopback(host)) return
    throw new GateError('MISDIRECTED', 'the certificate is not for this host name; server.allowed_hosts can allow it')
  }
}

/**
 * Finds out who sends the request: without a promise where keys and sessions in memory say it.
 * @param scope what the key must allow; null: no key is needed
 * @throws GateError MISSING_SCOPE and those of `authenticate`
 */
export function identify(
  exchange: Exchange,
  scope: RowScope,
  proofs: Proofs,
  settings: GatewaySettings,
): Principal | Promise<Principal> {
  if (scope === null) return ANYBODY
  const { request, url, via } = exchange
  const found = authenticate(request, url, via, proofs, settings)
  if (found instanceof Promise) return found.then((principal) => noted(exchange, scope, principal))
  return noted(exchange, scope, found)
}

function noted({ request, answer }: Exchange, scope: Exclude<RowScope, null>, principal: Principal): Principal {
  if (principal === ANYBODY) return principal
  if (scope === 'person') requirePerson(principal)
  else if (scope !== 'signed-in') requireScope(principal, scope)
  answer.progress.keyId = principal.keyId
  answer.progress.keyName = principal.name
  answer.progress.principal = principal
  if (principal.namesUsers) answer.progress.endUser = endUserOf(request)
  return principal
}

/** @throws GateError MISSING_SCOPE */
function requirePerson({ userId, name }: Principal): void {
  if (userId !== null) return
  throw new GateError('MISSING_SCOPE', `"${name}" belongs to no user; sign in`)
}

/** In which Open WebUI says who of its users asks; ids where there are no addresses. */
const USER_HEADERS = ['x-openwebui-user-email', 'x-openwebui-user-id'] as const
const LONGEST_USER = 200

function endUserOf({ headers }: ClientRequest): string {
  const named = USER_HEADERS.map((name) => headers[name]).find((value) => typeof value === 'string' && value !== '')
  return String(named ?? '').slice(0, LONGEST_USER)
}

/**
 * Admits a request that will be forwarded, as far as limits and the usage log allow.
 * @throws GateError UNSUPPORTED_MEDIA_TYPE, STORE_UNAVAILABLE, TOO_MANY_REQUESTS
 */
export function admit(
  { request, answer }: Exchange,
  { takes, method, mayCallJsonForm }: Endpoint,
  { admission, ledger }: { readonly admission: Pick<Admission, 'admit'>; readonly ledger: Pick<Ledger, 'refusal'> },
): Slot {
  if (takes === 'form') checkForm(request, answer)
  else if (takes === 'bytes') checkPage(request, answer)
  else if (method === 'POST' || method === 'PATCH') checkJson(request, mayCallJsonForm === true)
  const refusal = ledger.refusal()
  if (refusal !== null) throw new GateError('STORE_UNAVAILABLE', `${refusal}, so new requests are refused`)
  return admission.admit()
}

/** A page of another origin can send text/plain without asking; JSON it cannot. */
function checkJson({ headers: { 'content-type': type, origin } }: ClientRequest, mayBeCalledForm: boolean): void {
  const isOther = mayBeCalledForm && isOfType(type, 'application/x-www-form-urlencoded')
  const isLeftOut = (type === undefined || isOther) && origin === undefined // a script of a page cannot leave it out
  if (isLeftOut || isOfType(type, 'application/json')) return
  throw new GateError('UNSUPPORTED_MEDIA_TYPE', 'send "Content-Type: application/json"')
}

function checkForm(request: ClientRequest, answer: Answer): void {
  if (!isOfType(request.headers['content-type'], 'multipart/form-data'))
    throw new GateError('UNSUPPORTED_MEDIA_TYPE', 'send a form: "Content-Type: multipart/form-data; boundary=…"')
  checkPage(request, answer)
}

/** A page of another origin can send forms and text without asking, so it must be one that may. */
function checkPage({ headers: { origin } }: ClientRequest, { cors }: Answer): void {
  if (origin === undefined || cors.length > 0) return
  throw new GateError(
    'UNSUPPORTED_MEDIA_TYPE',
    'forms and files are taken only from pages that server.allowed_origins lists',
  )
}

/** The request as a dialect sees it. @param param percent-encoded @throws GateError BAD_REQUEST */
export function callOf({ request, url }: Exchange, endpoint: Endpoint, param: string, body: Buffer = NO_BODY): Call {
  return { endpoint, param: param === '' ? '' : decoded(param), url, headers: request.headers, body }
}

/** The same with its body, which is checked as it comes: however large it is, no chunk takes long. @throws GateError */
export async function callWithBody(exchange: Exchange, endpoint: Endpoint, param: string, slot: Slot): Promise<Call> {
  const scanner = endpoint.takes === 'form' ? null : new JsonScanner()
  const whole = slot.readBody(exchange.request, (chunk) => scanner?.feed(chunk))
  exchange.answer.askForBody()
  const body = await whole
  const call: Call & { outline?: JsonOutline } = callOf(exchange, endpoint, param, body)
  if (scanner === null) return call
  call.outline = scanner.end(body)
  return call
}

/** @throws GateError BAD_REQUEST */
export function decoded(param: string): string {
  try {
    return decodeURIComponent(param)
  } catch (error) {
    throw new GateError('BAD_REQUEST', 'the percent-encoding of the path is not valid', { cause: error })
  }
}

/** @throws GateError UPGRADE_REQUIRED: clients of WebSockets then send what they have as a POST */
export function refuseUpgrade({ request, path }: Exchange): void {
  if (request.method !== 'GET' || request.headers.upgrade?.toLowerCase() !== 'websocket') return
  throw new GateError('UPGRADE_REQUIRED', `${path} takes no WebSocket; send the request as a POST`)
}

/** Path and query of a request target, which may name scheme and host in front of it. */
export function urlOf(target: string): string {
  if (target.startsWith('/') || target === '*') return target
  const slash = target.indexOf('/', target.indexOf('://') + 3)
  return slash === -1 ? '/' : target.slice(slash)
}

export function pathOf(url: string): string {
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}
