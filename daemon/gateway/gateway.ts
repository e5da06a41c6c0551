import type { Config } from '../../schemas/config/config.ts'
import { requireBounds } from '../../schemas/words/bounds.ts'
import type { GateError } from '../../schemas/words/errors.ts'
import { clientAddress } from '../admit/address.ts'
import type { Admission } from '../admit/admission.ts'
import type { Limits } from '../admit/limits.ts'
import type { Proofs } from '../auth/authenticate.ts'
import type { Principal } from '../auth/principal.ts'
import type { ClientRequest, ClientResponse } from '../listener/client-request.ts'
import type { Via } from '../listener/via.ts'
import type { Ledger } from '../meter/ledger.ts'
import type { Metrics } from '../meter/metrics.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Dialects } from '../translate/dialects.ts'
import { asChat } from '../translate/openai-response-as-chat.ts'
import { Answer } from './answer.ts'
import { API_MANNER, type Api, apiRow, isOfApi, otherRoute, serveApi } from './api.ts'
import { type AttemptsParts, attempts } from './attempts.ts'
import { conclude, logRequest, refuse } from './conclude.ts'
import { createEndpointTable } from './endpoints.ts'
import {
  admit,
  callWithBody,
  check,
  checkAdminAddress,
  type Exchange,
  identify,
  pathOf,
  refuseUpgrade,
  urlOf,
} from './exchange.ts'
import { refuseLoop } from './hops.ts'
import { completed, keepAnswer } from './kept.ts'
import type { ObjectParts } from './objects/job.ts'
import { type ObjectRow, passObject } from './objects/pass.ts'
import { withFiles } from './objects/refer.ts'
import { createOpenRequests } from './open-requests.ts'
import { corsHeaders, options } from './options.ts'
import { ALWAYS_ANSWERED, type PageParts, rowsOf, showModel } from './pages.ts'
import { askFor } from './paying.ts'
import type { Recordings } from './recordings.ts'
import { sendJson } from './send-json.ts'
import { gatewaySettings } from './settings.ts'
import type { Texts } from './texts.ts'
import { endTrace } from './traced.ts'
import { unheededIn, wantedOf } from './wanted.ts'

/** The requests in flight, of which others know the number, and which they may cut off. */
export const openRequests = () => createOpenRequests<Answer>()

/** The stages, made by assembly/. */
export type GatewayParts = AttemptsParts &
  PageParts &
  ObjectParts & {
    readonly clients: ReturnType<typeof openRequests>
    readonly dialects: Dialects
    readonly proofs: Proofs
    readonly admission: Pick<Admission, 'admit'>
    readonly limits: Pick<Limits, 'enter'>
    readonly ledger: Pick<Ledger, 'settle' | 'refusal'>
    readonly recordings: Pick<Recordings, 'begin'>
    readonly texts: Pick<Texts, 'begin'>
    readonly metrics: Pick<Metrics, 'refused' | 'request'>
    readonly telemetry: Pick<Telemetry, 'begin' | 'join' | 'put'>
    readonly newRequestId: () => string
    /** Why no client may be served; undefined when they may. */
    readonly closed: () => string | undefined
  }

/** The whole data plane. Every request takes the same path, top to bottom in `serve`. */
export function createGateway(parts: GatewayParts, initial: Config) {
  const [fallback] = parts.dialects.all
  const ownRows = rowsOf(parts)
  let table = createEndpointTable(ownRows)
  let api: Api = { routes: [], audit: { require: () => {}, record: () => {} }, stopping: new AbortController().signal }
  const { clients } = parts
  let settings = gatewaySettings(initial)

  async function handle(request: ClientRequest, response: ClientResponse, via: Via): Promise<void> {
    const answer = new Answer(response, parts.newRequestId(), fallback, settings.stallTimeoutMs)
    const url = urlOf(request.url ?? '')
    const exchange: Exchange = { request, answer, via, startedAt: parts.monotonic(), url, path: pathOf(url) }
    answer.progress.trace = parts.telemetry.begin(request.headers, exchange.startedAt, via.peer, isTrusted)
    const open = clients.add(answer)
    try {
      await serve(exchange)
    } catch (error) {
      refuse(parts, answer, error)
    } finally {
      clients.remove(open)
      const endedAt = parts.monotonic()
      if (answer.progress.row !== null) parts.metrics.request(answer.progress.row, endedAt - exchange.startedAt)
      if (answer.progress.trace !== null) endTrace(parts.telemetry, exchange, answer.progress.route, endedAt)
      logRequest(parts.log, exchange, endedAt, settings.trustedProxies)
    }
  }

  const isTrusted = (peer: string | null): boolean => peer === null || settings.trustedProxies.has(peer)

  async function serve(exchange: Exchange): Promise<void> {
    const { request, answer, path, url } = exchange
    const found = table.find(request.method ?? '', path, request.headers, url)
    const spoken = table.dialectFor(found, path, request.headers) ?? fallback
    answer.dialect = isOfApi(found, path) ? API_MANNER : spoken
    answer.cors = corsHeaders(request.headers.origin, settings.allowedOrigins)
    check(exchange, settings, ALWAYS_ANSWERED.has(path) ? undefined : parts.closed())
    refuseLoop(request.headers, parts.nodeId())
    if (request.method === 'OPTIONS') return options(table, exchange)
    refuseUpgrade(exchange)
    if (found.kind !== 'row') throw table.refusalOf(found, request.method ?? '', path, spoken)
    const { row, param } = found
    answer.progress.route = row.path
    checkAdminAddress(exchange, row.scope, settings)
    const identified = identify(exchange, row.scope, parts.proofs, settings)
    const principal = identified instanceof Promise ? await identified : identified
    if (answer.progress.trace === null && row.scope !== null)
      answer.progress.trace = parts.telemetry.join(request.headers, exchange.startedAt)
    const { trace } = answer.progress
    trace?.stage('authenticate', parts.monotonic())
    if (row.kind === 'api') return serveApi({ log: parts.log, api }, exchange, row.route, principal, settings)
    if (row.kind === 'page') return row.page(exchange, param, principal)
    if (row.kind === 'object') return serveObject(exchange, row, param, principal)
    const { keyId, allowed } = principal
    const { dialect, endpoint } = row
    const slot = admit(exchange, endpoint, parts)
    let endText: (() => void) | null = null
    try {
      letIn(exchange, principal)
      const sent = asChat(await callWithBody(exchange, endpoint, param, slot), slot.holdAnswer)
      trace?.stage('admit', parts.monotonic())
      const kept = parts.kept.of(keyId, () => answer.servedBy())
      const call = completed(sent, dialect, kept, slot.holdAnswer)
      const asked = dialect.readRequest(call)
      const routes = parts.routes().of(allowed)
      if (endpoint.does === 'show-model') return showModel(parts, answer, dialect, routes.entryOf(asked.model), call)
      if (asked.says !== undefined) {
        routes.entryOf(asked.model) // it must be there
        return sendJson(answer, 200, asked.says(Math.floor(parts.now() / 1_000)))
      }
      const files = dialect.filesIn?.(call) ?? []
      const anywhere = wantedOf(call, asked, dialect, keyId)
      const wanted = files.length === 0 ? anywhere : withFiles(anywhere, files, parts.objects.of(keyId))
      const targets = routes.targetsOf(asked.model, wanted)
      if (answer.progress.pass !== null)
        askFor(answer.progress.pass, allowed?.pinned ?? asked.model, targets[0], asked, call)
      trace?.stage('route', parts.monotonic())
      const unheeded = unheededIn(asked, routes)
      const category = routes.categoryOf(asked.model)
      const hold = slot.holdAnswer
      const job = { answer, keyId, payer: principal, allowed, unheeded, dialect, call, asked, category, hold }
      keepAnswer(parts.recordings, job, kept)
      endText = parts.texts.begin(job)
      const conclusion = await attempts(parts, job, targets)
      conclude(answer, conclusion, parts.now, (name) => parts.upstreams.get(name))
    } finally {
      endText?.()
      slot.release()
      answer.progress.pass?.leave(answer.progress.usedTokens)
    }
  }

  async function serveObject(exchange: Exchange, row: ObjectRow, param: string, principal: Principal): Promise<void> {
    try {
      letIn(exchange, principal)
      const { request, via } = exchange
      const originOf = () => `http${settings.isSecured(request.headers, via) ? 's' : ''}://${request.headers.host}`
      await passObject(parts, exchange, row, param, principal, originOf)
    } finally {
      exchange.answer.progress.pass?.leave(0)
    }
  }

  /** @throws GateError TOO_MANY_REQUESTS, BOUND_MISSING */
  function letIn({ answer, request, via }: Exchange, principal: Principal): void {
    requireBounds(principal, settings.bounding)
    const { trustedProxies } = settings
    const addressOf = () => clientAddress(via.peer, request.headers['x-forwarded-for']?.toString(), trustedProxies)
    answer.progress.pass = parts.limits.enter(principal, addressOf)
    if (answer.progress.pass !== null && answer.progress.pass.refusal !== null) throw answer.progress.pass.refusal
  }

  return {
    handle,
    /** Serves the routes of the API from now on. Call before anything listens. */
    serveApi(next: Api): void {
      api = next
      table = createEndpointTable([...ownRows, ...next.routes.filter(({ only }) => only !== 'socket').map(apiRow)])
    },
    /** Every route that is served: what the access matrix and the OpenAPI document are made of. */
    allRoutes: () => ({ api: api.routes, others: ownRows.map(otherRoute) }),
    /** The body of an error whose dialect is not known. */
    errorBody: (error: GateError): string => JSON.stringify(fallback.errorBody(error, null)),
    /** Takes over what the request path needs from a new configuration. */
    apply(config: Config): void {
      settings = gatewaySettings(config)
    },
  }
}
