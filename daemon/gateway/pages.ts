import type { Allowance } from '../../schemas/words/allowance.ts'
import type { ModelFacts } from '../../schemas/words/model-facts.ts'
import type { Via } from '../listener/via.ts'
import type { ListedModel } from '../route/route-table.ts'
import type { Routes } from '../route/routes.ts'
import type { Target } from '../route/target-health.ts'
import type { Call, ModelEntry, Served } from '../translate/call.ts'
import type { Dialect } from '../translate/dialect.ts'
import type { Dialects } from '../translate/dialects.ts'
import type { KeptAnswers } from '../translate/kept-form.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import type { Answer } from './answer.ts'
import type { Page, Row } from './endpoints.ts'
import { callOf, type Exchange } from './exchange.ts'
import { lentTo } from './lent.ts'
import type { Recordings } from './recordings.ts'
import { sendJson } from './send-json.ts'

export type PageParts = {
  readonly dialects: Dialects
  readonly routes: () => Routes
  readonly kept: { readonly of: (keyId: string, servedBy?: () => Served | null) => KeptAnswers }
  readonly recordings: Pick<Recordings, 'follow' | 'page'>
  readonly upstreams: Pick<Upstreams, 'get'>
  /** What is known of a model, whichever of its targets answers. */
  readonly factsOf: (targets: readonly Target[]) => ModelFacts
  readonly metrics: { readonly expose: () => Promise<{ readonly contentType: string; readonly text: string }> }
  /** Why new requests are refused, in words for clients; null when they are served. */
  readonly notReady: () => string | null
}

const HEALTH = '/health'
const READY = '/ready'
/** Answered as long as the process lives: they say how it is. */
export const ALWAYS_ANSWERED: ReadonlySet<string> = new Set([HEALTH, READY])

const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  'cache-control': 'no-store',
}

/** What a browser is shown: no script, nothing from elsewhere, and nothing about who may ask for what. */
const pageSaying = (state: string, doors: string): string => `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Gate</title>
<style>body{font:1rem/1.5 system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem}</style>
<h1>Gate</h1>
<p>This is Gate, a private AI gateway. It is ${state}.
<p>Programs send requests to ${doors}, with a key:
<code>Authorization: Bearer KEY</code>. <code>gatectl token create</code> makes one on the host.
<p>More: <a href="/health">/health</a>, <a href="/ready">/ready</a>, and the documentation on the host, in
<code>/usr/share/doc/gate</code> or <code>docs/</code> of the repository.
</html>
`

/** The endpoints of all dialects, once each, as HTML. */
function doorsOf(dialects: Dialects): string {
  const doors = dialects.all.flatMap(({ endpoints }) => endpoints.map(({ method, path }) => `${method} ${path}`))
  return [...new Set(doors)].map((door) => `<code>${door}</code>`).join(', ')
}

/** Every row of the gateway: what the dialects bring, and the pages of Gate itself. */
export function rowsOf(parts: PageParts): readonly Row[] {
  const health: Page = ({ answer }) => sendJson(answer, 200, { status: 'ok' })
  const hello: Page = ({ answer }) => sendJson(answer, 200, { message: 'hello' })
  const ready: Page = ({ answer }) => {
    const reason = parts.notReady()
    if (reason === null) sendJson(answer, 200, { status: 'ready' })
    else sendJson(answer, 503, { status: 'not ready', reason })
  }
  const exposeMetrics: Page = async ({ answer }) => {
    const { contentType, text } = await parts.metrics.expose()
    answer.end(200, { 'content-type': contentType }, Buffer.from(text))
  }
  const doors = doorsOf(parts.dialects)
  const welcomePage: Page = ({ answer }) => {
    const reason = parts.notReady()
    const state = reason === null ? 'ready' : `not ready: ${reason}`
    answer.end(200, PAGE_HEADERS, Buffer.from(pageSaying(state, doors)))
  }
  return [
    ...parts.dialects.all.flatMap((dialect) => dialectRows(dialect, parts)),
    {
      kind: 'page',
      method: 'GET',
      path: '/v1/streams/{conversation}',
      scope: 'chat:read',
      page: parts.recordings.page,
    },
    { kind: 'page', method: 'GET', path: '/metrics', scope: 'config:read', page: exposeMetrics },
    { kind: 'page', method: 'GET', path: HEALTH, scope: null, page: health },
    { kind: 'page', method: 'GET', path: READY, scope: null, page: ready },
    { kind: 'page', method: 'GET', path: '/', scope: null, page: welcomePage },
    // Claude Code asks for it (HEAD) before anything else, to have a connection
    { kind: 'page', method: 'GET', path: '/api/hello', scope: null, page: hello },
  ]
}

/** Tells a client of one model. */
export function showModel(
  { factsOf }: Pick<PageParts, 'factsOf'>,
  answer: Answer,
  dialect: Dialect,
  model: ListedModel,
  call: Call,
): void {
  sendJson(answer, 200, dialect.showModel(withFacts(factsOf)(model), call))
}

/** A model with what is known of it. */
const withFacts =
  (factsOf: PageParts['factsOf']) =>
  ({ id, ownedBy, targets }: ListedModel): ModelEntry => ({ id, ownedBy, facts: factsOf(targets) })

function dialectRows(dialect: Dialect, { routes, factsOf, kept, recordings, upstreams }: PageParts): readonly Row[] {
  const entryOf = withFacts(factsOf)
  const listFor = (via: Via, allowed: Allowance | null) =>
    lentTo(via, routes().of(allowed).list(), (name) => upstreams.get(name)?.provider)
  return dialect.endpoints.map((endpoint) => {
    const { method, path, scope, does, says, withHeader } = endpoint
    const row = { method, path, scope, dialect, ...(withHeader !== undefined && { withHeader }) }
    if (does === 'object') return { ...row, kind: 'object', endpoint }
    if (method === 'POST' && does !== 'kept') return { ...row, kind: 'generate', endpoint }
    const page: Page = (exchange, param, { allowed }) => {
      const call = callOf(exchange, endpoint, param)
      if (does === 'kept') return sendKept(dialect, call, kept.of(exchange.answer.progress.keyId), exchange, recordings)
      const models = () =>
        does === 'list-models'
          ? dialect.listModels(listFor(exchange.via, allowed).map(entryOf), call)
          : dialect.showModel(entryOf(routes().of(allowed).entryOf(call.param)), call)
      sendJson(exchange.answer, 200, says ?? models())
    }
    return { ...row, kind: 'page', page }
  })
}

function sendKept(
  { kept: form, streamType }: Dialect,
  call: Call,
  kept: KeptAnswers,
  { request, answer }: Exchange,
  recordings: Pick<Recordings, 'follow'>,
): void | Promise<void> {
  const shown = form?.page(call, kept) ?? { kind: 'json', value: {} }
  switch (shown.kind) {
    case 'json':
      return sendJson(answer, 200, shown.value)
    case 'stream':
      return answer.end(200, { 'content-type': `${streamType}; charset=utf-8` }, Buffer.from(shown.text))
    case 'follow':
      return recordings.follow(answer, request.method ?? '', shown.id, shown.after)
  }
}
