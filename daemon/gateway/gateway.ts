import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Config } from '../../schemas/config/config.ts'
import { GateError } from '../../schemas/words/errors.ts'
import type { Log } from '../../schemas/words/log.ts'
import type { Admission } from '../admit/admission.ts'
import type { Tokens } from '../auth/tokens.ts'
import type { Ledger } from '../meter/ledger.ts'
import type { Metrics } from '../meter/metrics.ts'
import type { Routes } from '../route/routes.ts'
import type { Dialects } from '../translate/dialects.ts'
import { ClientResponse } from './answer.ts'
import { type AttemptsParts, attempts } from './attempts.ts'
import { conclude } from './conclude.ts'
import { createEndpointTable } from './endpoints.ts'
import { admit, authenticate, callOf, check, type Exchange, pathOf, urlOf } from './exchange.ts'
import { createOpenRequests } from './open-requests.ts'
import { rowsOf } from './pages.ts'
import { gatewaySettings } from './settings.ts'

/** The stages, made by main.ts. */
export type GatewayParts = AttemptsParts & {
  readonly dialects: Dialects
  readonly tokens: Pick<Tokens, 'find'>
  readonly admission: Pick<Admission, 'admit'>
  readonly routes: () => Routes
  readonly ledger: Ledger
  readonly metrics: Pick<Metrics, 'attempt' | 'refused' | 'expose'>
  readonly isReady: () => boolean
  readonly newRequestId: () => string
}

/** The whole data plane. Every request takes the same way, top to bottom in `serve`. */
export function createGateway(parts: GatewayParts, initial: Config) {
  const [fallback] = parts.dialects.all
  const table = createEndpointTable(rowsOf(parts))
  const clients = createOpenRequests<ClientResponse>()
  let settings = gatewaySettings(initial)
  let onIdle: (() => void) | null = null

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const client = new ClientResponse(response, parts.newRequestId(), fallback, settings.stallTimeoutMs)
    const url = urlOf(request.url ?? '')
    const exchange: Exchange = { request, client, startedAt: parts.monotonic(), url, path: pathOf(url) }
    const open = clients.add(client)
    try {
      await serve(exchange)
    } catch (error) {
      refuse(parts, client, error)
    } finally {
      clients.remove(open)
      if (clients.count() === 0) onIdle?.()
      logRequest(parts, exchange)
    }
  }

  async function serve(exchange: Exchange): Promise<void> {
    const { request, client, path } = exchange
    const found = table.find(request.method ?? '', path, request.headers)
    if (found.kind === 'row') client.dialect = found.row.dialect ?? fallback
    check(exchange, settings)
    if (found.kind !== 'row') throw table.refusalOf(found, request.method ?? '', path)
    const { row, param } = found
    const { keyId } = authenticate(exchange, row.scope, parts.tokens, settings)
    if (row.kind === 'page') return row.page(exchange, param)
    const { dialect, endpoint } = row
    const slot = admit(exchange, parts)
    try {
      const call = callOf(exchange, endpoint, param, await slot.readBody(request))
      const asked = dialect.readRequest(call)
      const targets = parts.routes().targetsOf(asked.model)
      conclude(client, await attempts(parts, { client, keyId, dialect, call, asked }, targets))
    } finally {
      slot.release()
    }
  }

  function cutOff(error: GateError, isMeant: (client: ClientResponse) => boolean): void {
    for (const client of clients.items()) if (isMeant(client)) client.cutOff(error)
  }

  return {
    handle,
    /** The body of an error that no dialect can be told for. */
    errorBody: (error: GateError): string => JSON.stringify(fallback.errorBody(error)),
    inFlight: () => clients.count(),
    /** Cuts off what is being answered to a key that counts no more. */
    cutKey(keyId: string): void {
      cutOff(new GateError('INVALID_KEY', 'the key was revoked'), (client) => client.keyId === keyId)
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
      const cut = () => cutOff(new GateError('NOT_READY', 'Gate is stopping', { retryAfterS: 1 }), () => true)
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

/** Tells the client why its request was not served; a fault of Gate's own is told to the log alone. */
function refuse({ log, metrics }: Pick<GatewayParts, 'log' | 'metrics'>, client: ClientResponse, error: unknown): void {
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

function logRequest(
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
