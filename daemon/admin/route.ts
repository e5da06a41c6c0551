import type { IncomingHttpHeaders } from 'node:http'
import type { z } from 'zod'
import type { Scope } from '../../schemas/words/scopes.ts'
import type { Principal } from '../auth/principal.ts'
import type { Reply } from './reply.ts'

/**
 * What a caller must be allowed: a scope; `person`: nothing but to be a person, or a key of one; `signed-in`: to be known;
 * `public`: not even that.
 */
export type RouteScope = Scope | 'person' | 'signed-in' | 'public'

/** Where a request came from, as the audit log names it. */
export type Caller = {
  /** Of the client, as trusted proxies say it; null: it came over a socket file. */
  readonly address: string | null
  readonly via: 'socket' | 'https' | 'http'
  /** Of the key, the person, or the user of the host. */
  readonly name: string
  /** Whether the client speaks TLS: with Gate, or with a trusted proxy that says so. */
  readonly secured: boolean
}

/** One call of the API, its query and body already of the shapes that the route declares. */
export type ApiRequest<B, Q> = {
  /** Of a public route: one without any scope. */
  readonly principal: Principal
  /** What stands in place of each `{name}` of the path, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: Q
  readonly body: B
  readonly headers: IncomingHttpHeaders
  readonly caller: Caller
  /** Aborts when the caller leaves, its credential ends, or the daemon stops. */
  readonly signal: AbortSignal
}

/**
 * One row of the table of the API, on the admin socket and over HTTPS alike. The access matrix, the methods of a path
 * and the OpenAPI document all come from these rows.
 */
type Row = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** `{name}` stands for one segment. */
  readonly path: `/${string}`
  readonly scope: RouteScope
  /** One line for the documentation: "Lists the keys". */
  readonly summary: string
  /** How a body is read. `bytes`: to its end, whatever it is, and no further. Left out: as JSON. */
  readonly takes?: 'json' | 'form' | 'json or form' | 'bytes'
  /** Of what is answered with this status. Left out: 200. */
  readonly status?: number
  /** The name of the action in the audit log, such as `key.create`; left out: the route changes nothing. */
  readonly audit?: string
  /** Over the admin socket alone, or over HTTPS alone. Left out: both. */
  readonly only?: 'socket' | 'https'
  /** The shape of refusals that are not problems, where a standard has another one. */
  readonly refusal?: z.ZodType
  /** Makes such a refusal of what was sent in the wrong form. */
  readonly refuse?: (detail: string) => Reply
}

/** The shape of what is answered; `stream`: lines or events that go on; `page`: HTML, or another page. */
export type RouteAnswer = z.ZodType | 'stream' | 'page'

export type ApiRoute = Row & {
  readonly query: z.ZodType | undefined
  readonly body: z.ZodType | undefined
  readonly answer: RouteAnswer
  handle(request: ApiRequest<unknown, unknown>): Reply | Promise<Reply>
}

type Output<S> = S extends z.ZodType ? z.output<S> : undefined
type ReplyOf<A> = A extends z.ZodType ? Reply<z.input<A>> : A extends 'stream' ? Reply<never> : Reply<never>

/**
 * A row with the types of its handler checked against its shapes. The table has parsed query and body by then; a route
 * without `query` or `body` takes none.
 */
export function apiRoute<
  const A extends RouteAnswer,
  B extends z.ZodType | undefined = undefined,
  Q extends z.ZodType | undefined = undefined,
>(
  route: Row & {
    readonly query?: Q
    readonly body?: B
    readonly answer: A
    handle(request: ApiRequest<Output<B>, Output<Q>>): ReplyOf<A> | Promise<ReplyOf<A>>
  },
): ApiRoute {
  const { query, body } = route
  return {
    ...route,
    query,
    body,
    // the table hands over what these very shapes have made of the request
    handle: (request) => route.handle(request as ApiRequest<Output<B>, Output<Q>>),
  }
}

/** `GET /api/admin/keys`: what a route is called in lists. */
export const nameOf = ({ method, path }: Pick<ApiRoute, 'method' | 'path'>): string => `${method} ${path}`
