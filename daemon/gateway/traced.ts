import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Endpoint } from '../translate/call.ts'
import type { Exchange } from './exchange.ts'

/** What OpenTelemetry's conventions call it. @see gen_ai.operation.name */
export function operationOf({ does, path }: Endpoint): string {
  if (does === 'embed') return 'embeddings'
  if (path.includes('enerateContent')) return 'generate_content'
  return /\/(?:completions|generate)$/.test(path) && !path.includes('chat') ? 'text_completion' : 'chat'
}

/** Hands over the trace of a request that is over, when it has one. @param route the path of its row; empty: none */
export function endTrace(telemetry: Pick<Telemetry, 'put'>, exchange: Exchange, route: string, nowMs: number): void {
  const { request, answer } = exchange
  const { trace } = answer.progress
  if (trace === null) return
  const method = request.method ?? ''
  const status = answer.status()
  const attributes = {
    'http.request.method': method,
    ...(route !== '' && { 'http.route': route }),
    'url.scheme': exchange.via.secured === null ? 'http' : 'https',
    ...(status !== 0 && { 'http.response.status_code': status }),
    ...(status >= 500 && { 'error.type': String(status) }),
    'gate.request_id': answer.requestId,
    ...(answer.progress.keyId !== '' && { 'gate.key_id': answer.progress.keyId }),
  }
  telemetry.put(trace.ended(route === '' ? method : `${method} ${route}`, attributes, status >= 500, nowMs))
}
