import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Config } from '../../schemas/config/config.ts'
import { GateError } from '../../schemas/words/errors.ts'
import type { Log } from '../../schemas/words/log.ts'
import type { Admission } from '../admit/admission.ts'
import { credentialOf } from '../auth/credential.ts'
import { ANYBODY, type Principal, requireScope, type Tokens } from '../auth/tokens.ts'
import type { Backends } from '../backends/backends.ts'
import type { Ledger } from '../meter/ledger.ts'
import type { Metrics } from '../meter/metrics.ts'
import { createStreamWatch } from '../meter/stream-watch.ts'
import type { Routes } from '../route/routes.ts'
import type { Target, TargetHealth } from '../route/target-health.ts'
import { type ChatRequest, parseChatRequest, withModel } from '../translate/openai-chat/request.ts'
import { type ForwardEnd, forward } from '../upstream/forward.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import { ClientResponse } from './answer.ts'
import {
  conclude,
  forwardRequest,
  isBroken,
  isJson,
  isLost,
  mayTryElsewhere,
  retryAfterMs,
  TRY_ELSEWHERE,
} from './attempt.ts'
import { checkEntrance } from './entrance.ts'
import { modelList, oneModel } from './model-list.ts'
import { createOpenRequests } from './open-requests.ts'
import { gatewaySettings } from './settings.ts'
import { usageRow } from './usage-row.ts'

/** The stages, made by main.ts. `now` is Unix milliseconds, `monotonic` milliseconds of a clock that never jumps. */
export type GatewayParts = {
  readonly tokens: Tokens
  readonly admission: Admission
  readonly routes: () => Routes
  readonly health: TargetHealth
  readonly backends: Pick<Backends, 'turnAt'>
  readonly upstreams: Upstreams
  readonly ledger: Ledger
  readonly metrics: Metrics
  readonly log: Log
  readonly isReady: () => boolean
  readonly newRequestId: () => string
  readonly now: () => number
  readonly monotonic: () => number
}

/** One request on its way through the stages. */
type Exchange = {
  readonly request: IncomingMessage
  readonly client: ClientResponse
  /** Path and query of the request target. */
  readonly url: string
}

const MAX_TARGETS = 8

/**
 * The whole data plane. Every request takes the same way, top to bottom:
 * check → authenticate → admit → route → backend → translate → upstream → meter.
 */
export function createGateway(parts: GatewayParts, initial: Config) {
  const { tokens, admission, routes, health, backends, upstreams, ledger, metrics, log, now, monotonic } = parts
  const clients = createOpenRequests<ClientResponse>()
  let settings = gatewaySettings(initial)
  let onIdle: (() => void) | null = null

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = monotonic()
    const client = new ClientResponse(response, parts.newRequestId(), settings.stallTimeoutMs)
    const open = clients.add(client)
    try {
      await respond(request, client)
    } catch (error) {
      refuse(client, error)
    } finally {
      clients.remove(open)
      if (clients.count() === 0) onIdle?.()
      log(client.status() >= 500 ? 'warn' : 'info', 'request', {
        request_id: client.requestId,
        method: request.method ?? '',
        path: pathOf(request.url ?? ''),
        status: client.status(),
        duration_ms: Math.round(monotonic() - startedAt),
        ...(client.wait !== null && { wait: client.wait.kind, wait_ms: client.wait.ms }),
      })
    }
  }

  async function respond(request: IncomingMessage, client: ClientResponse): Promise<void> {
    const exchange = { request, client, url: check(request, client) }
    const path = pathOf(exchange.url)
    switch (`${request.method} ${path}`) {
      case 'POST /v1/chat/completions':
        return chatCompletions(exchange)
      case 'GET /v1/models':
        return listModels(exchange)
      case 'GET /metrics':
        return exposeMetrics(exchange)
      case 'GET /health':
      case 'HEAD /health':
      case 'HEAD /':
        return sendJson(client, 200, { status: 'ok' })
      case 'GET /ready':
      case 'HEAD /ready':
        return parts.isReady()
          ? sendJson(client, 200, { status: 'ready' })
          : sendJson(client, 503, { status: 'not ready' })
    }
    if (request.method === 'GET' && path.startsWith('/v1/models/')) return showModel(exchange, path)
    const allowed = ALLOWED_METHODS[path]
    if (allowed === undefined) throw new GateError('UNKNOWN_ROUTE', `no route ${request.method} ${path}`)
    throw new GateError('METHOD_NOT_ALLOWED', `${path} takes ${allowed}`)
  }

  /** Refuses what is malformed or comes from somewhere it may not. @returns path and query */
  function check(request: IncomingMessage, client: ClientResponse): string {
    try {
      return checkEntrance(request, settings)
    } catch (error) {
      client.closeConnection()
      throw error
    }
  }

  /** @throws GateError MISSING_KEY, INVALID_KEY, MISSING_SCOPE */
  function authenticate(
    { request, client, url }: Exchange,
    scope: 'chat:read' | 'chat:write' | 'config:read',
  ): Principal {
    if (settings.isOpen) return ANYBODY
    const principal = tokens.find(credentialOf(request.headers, url))
    if (principal === null) {
      throw new GateError('INVALID_KEY', 'the key is unknown, expired or revoked; `gatectl token create` makes one')
    }
    requireScope(principal, scope)
    client.keyId = principal.keyId
    return principal
  }

  async function chatCompletions(exchange: Exchange): Promise<void> {
    const { request } = exchange
    const principal = authenticate(exchange, 'chat:write')
    requireJson(request)
    if (ledger.isFailing()) {
      throw new GateError('STORE_UNAVAILABLE', 'usage cannot be recorded (disk full?), so no new request is taken')
    }
    const slot = admission.admit()
    try {
      const body = await slot.readBody(request)
      const chat = parseChatRequest(body)
      await attemptInTurn(exchange, principal, chat, body, routes().targetsOf(chat.model))
    } finally {
      slot.release()
    }
  }

  /** Tries the targets in order until one answers; what a client has seen a byte of is never tried again. */
  async function attemptInTurn(
    { request, client }: Exchange,
    principal: Principal,
    chat: ChatRequest,
    body: Buffer,
    targets: readonly Target[],
  ): Promise<void> {
    const plan = targets.slice(0, MAX_TARGETS)
    let refusal = new GateError('NOT_READY', 'the upstreams of this model were just removed; try again')
    let attempt = 0
    let restarts = 0
    for (let target = plan.shift(); target !== undefined; target = plan.shift()) {
      const watch = createStreamWatch()
      if (chat.stream) client.keepAlive(watch.atBoundary)
      const turn = await backends.turnAt(target.upstream, client)
      if (turn.kind === 'gone') return
      if (turn.kind === 'refused') {
        refusal = turn.error
        health.failed(target, turn.error.retryAfterS === null ? null : turn.error.retryAfterS * 1_000)
        continue
      }
      const upstream = upstreams.get(target.upstream)
      if (upstream === undefined) {
        turn.release(false)
        continue // taken out of the configuration this very moment
      }
      attempt += 1
      client.wait = turn.wait
      const startedAt = now()
      const begun = monotonic()
      let end: ForwardEnd | null = null
      try {
        const sent = target.model === chat.model ? body : withModel(body, target.model)
        end = await forward(forwardRequest(upstream, sent, request.headers), client, watch, monotonic)
      } finally {
        turn.release(end !== null && isBroken(end))
      }
      const durationMs = monotonic() - begun

      noteHealth(target, end)
      const row = usageRow({
        requestId: client.requestId,
        attempt,
        startedAt,
        durationMs,
        keyId: principal.keyId,
        model: chat.model,
        target,
        promptBytes: body.length,
        end,
        watch,
      })
      metrics.attempt(row)
      await ledger.settle(row)
      if (end.kind === 'rejected' || end.kind === 'failed') logFailure(client, target, end)
      if (turn.mayRestart && restarts === 0 && isLost(end)) {
        restarts += 1
        plan.unshift(target) // its engine had stopped behind our back: this time it is started first
      }
      if (plan.length > 0 && mayTryElsewhere(end)) continue
      conclude(client, target, end)
      return
    }
    throw refusal
  }

  function logFailure(
    client: ClientResponse,
    target: Target,
    end: Extract<ForwardEnd, { kind: 'rejected' | 'failed' }>,
  ) {
    log('warn', 'attempt failed', {
      request_id: client.requestId,
      upstream: target.upstream,
      model: target.model,
      status: end.status,
      ...(end.kind === 'failed' && { error: causeOf(end.error) }),
    })
  }

  function noteHealth(target: Target, end: ForwardEnd): void {
    if (end.kind === 'answered') health.succeeded(target, end.ttftMs)
    else if (end.kind === 'failed') health.failed(target, null)
    else if (end.kind === 'rejected' && TRY_ELSEWHERE.has(end.status)) health.failed(target, retryAfterMs(end.headers))
  }

  async function listModels(exchange: Exchange): Promise<void> {
    authenticate(exchange, 'chat:read')
    return sendJson(exchange.client, 200, modelList(routes()))
  }

  async function showModel(exchange: Exchange, path: string): Promise<void> {
    authenticate(exchange, 'chat:read')
    return sendJson(exchange.client, 200, oneModel(routes(), path.slice('/v1/models/'.length)))
  }

  async function exposeMetrics(exchange: Exchange): Promise<void> {
    authenticate(exchange, 'config:read')
    const { contentType, text } = await metrics.expose()
    exchange.client.end(200, { 'content-type': contentType }, Buffer.from(text))
  }

  function refuse(client: ClientResponse, error: unknown): void {
    const known = error instanceof GateError
    if (!known) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      log('error', 'request failed unexpectedly', { request_id: client.requestId, error: text })
    }
    const refusal = known
      ? error
      : new GateError('INTERNAL', `Gate failed; its log has the reason under ${client.requestId}`)
    if (refusal.code === 'BODY_TOO_LARGE') client.closeConnection() // the rest of the body is not worth reading
    metrics.refused(refusal.code)
    client.fail(refusal)
  }

  return {
    handle,
    inFlight: () => clients.count(),
    /** Cuts off what is being answered to a key that counts no more. */
    cutKey(keyId: string): void {
      for (const client of clients.items()) {
        if (client.keyId === keyId) client.cutOff(new GateError('INVALID_KEY', 'the key was revoked'))
      }
    },
    /** Takes over what the request path needs from a new configuration. */
    apply(config: Config): void {
      settings = gatewaySettings(config)
    },
    /**
     * Waits until the listeners are closed and nothing is in flight. What is still there when `signal` aborts is cut off
     * with an error, and so is what comes after.
     */
    async drain(closed: Promise<unknown>, signal: AbortSignal): Promise<void> {
      const cut = () => {
        for (const client of clients.items()) {
          client.cutOff(new GateError('NOT_READY', 'Gate is stopping', { retryAfterS: 1 }))
        }
      }
      signal.addEventListener('abort', cut, { once: true })
      if (signal.aborted) cut()
      await closed
      await new Promise<void>((resolve) => {
        onIdle = resolve
        if (clients.count() === 0) resolve()
      })
      signal.removeEventListener('abort', cut)
    },
  }
}

const ALLOWED_METHODS: Readonly<Record<string, string>> = {
  '/v1/chat/completions': 'POST',
  '/v1/models': 'GET',
  '/metrics': 'GET',
  '/health': 'GET',
  '/ready': 'GET',
  '/': 'HEAD',
}

async function sendJson(client: ClientResponse, status: number, value: unknown): Promise<void> {
  client.end(status, { 'content-type': 'application/json' }, Buffer.from(JSON.stringify(value)))
}

/** A page of another origin can send text/plain without asking; JSON it cannot. @throws GateError */
function requireJson({ headers }: IncomingMessage): void {
  if (isJson(headers['content-type'])) return
  throw new GateError('UNSUPPORTED_MEDIA_TYPE', 'send "Content-Type: application/json"')
}

function causeOf(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}

function pathOf(url: string): string {
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}
