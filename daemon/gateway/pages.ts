import type { Routes } from '../route/routes.ts'
import type { Dialect } from '../translate/dialect.ts'
import type { Dialects } from '../translate/dialects.ts'
import type { ClientResponse } from './answer.ts'
import type { Page, Row } from './endpoints.ts'
import { callOf } from './exchange.ts'

export type PageParts = {
  readonly dialects: Dialects
  readonly routes: () => Routes
  readonly metrics: { readonly expose: () => Promise<{ readonly contentType: string; readonly text: string }> }
  readonly isReady: () => boolean
}

/** Every row of the gateway: what the dialects bring, and the pages of Gate itself. */
export function rowsOf(parts: PageParts): readonly Row[] {
  const health: Page = ({ client }) => sendJson(client, 200, { status: 'ok' })
  const ready: Page = ({ client }) =>
    parts.isReady() ? sendJson(client, 200, { status: 'ready' }) : sendJson(client, 503, { status: 'not ready' })
  const exposeMetrics: Page = async ({ client }) => {
    const { contentType, text } = await parts.metrics.expose()
    client.end(200, { 'content-type': contentType }, Buffer.from(text))
  }
  return [
    ...parts.dialects.all.flatMap((dialect) => dialectRows(dialect, parts.routes)),
    { kind: 'page', method: 'GET', path: '/metrics', scope: 'config:read', page: exposeMetrics },
    { kind: 'page', method: 'GET', path: '/health', scope: null, page: health },
    { kind: 'page', method: 'GET', path: '/ready', scope: null, page: ready },
    { kind: 'page', method: 'HEAD', path: '/', scope: null, page: health },
  ]
}

function dialectRows(dialect: Dialect, routes: () => Routes): readonly Row[] {
  return dialect.endpoints.map((endpoint) => {
    const { method, path, scope, does, withHeader } = endpoint
    const row = { method, path, scope, dialect, ...(withHeader !== undefined && { withHeader }) }
    if (does === 'generate') return { ...row, kind: 'generate', endpoint }
    const page: Page = (exchange, param) => {
      const call = callOf(exchange, endpoint, param)
      const answer =
        does === 'list-models'
          ? dialect.listModels(routes().list(), call)
          : dialect.showModel(routes().entryOf(call.param), call)
      sendJson(exchange.client, 200, answer)
    }
    return { ...row, kind: 'page', page }
  })
}

function sendJson(client: ClientResponse, status: number, value: unknown): void {
  client.end(status, { 'content-type': 'application/json' }, Buffer.from(JSON.stringify(value)))
}
