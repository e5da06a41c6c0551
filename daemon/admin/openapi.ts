import { z } from 'zod'
import { adminProblem } from '../../schemas/admin.ts'
import type { ApiRoute, RouteScope } from './route.ts'

/** A route of another kind, of which no more is known than its door. */
export type OtherRoute = {
  readonly method: string
  readonly path: string
  readonly scope: RouteScope
  /** The dialect that it is of; absent: it is a page of Gate's own. */
  readonly dialect?: string
}

type Json = Readonly<Record<string, unknown>>

/** The version of the API: it changes when something of it is taken away. */
const API_VERSION = '1'

/** Where a credential may be. Each is enough. */
const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'A key, or the token of a session.' },
  'x-api-key': { type: 'apiKey', in: 'header', name: 'x-api-key' },
  'api-key': { type: 'apiKey', in: 'header', name: 'api-key' },
  'x-goog-api-key': { type: 'apiKey', in: 'header', name: 'x-goog-api-key' },
  key: { type: 'apiKey', in: 'query', name: 'key' },
  session: { type: 'apiKey', in: 'cookie', name: '__Host-se_session', description: 'Over HTTPS.' },
  'session-without-tls': { type: 'apiKey', in: 'cookie', name: 'se_session', description: 'Over plain HTTP.' },
  basic: { type: 'http', scheme: 'basic', description: 'While break-glass is on.' },
} as const

const PROBLEM = { $ref: '#/components/schemas/Problem' }

/**
 * The OpenAPI document of all routes, made of their rows: paths, scopes, shapes of queries, bodies and answers.
 * @param origin where the API is served; undefined: where the document is @see https://spec.openapis.org/oas/v3.1.1
 */
export function openApiDocument(
  routes: readonly ApiRoute[],
  others: readonly OtherRoute[],
  origin: string | undefined,
): Json {
  const paths: Record<string, Record<string, Json>> = {}
  const add = (method: string, path: string, operation: Json) => {
    const at = paths[path] ?? {}
    paths[path] = at
    at[method.toLowerCase()] ??= operation // of two that a header tells apart, the first one is described
  }
  for (const route of routes) add(route.method, route.path, operationOf(route))
  for (const other of others) add(other.method, other.path, otherOperation(other))
  return {
    openapi: '3.1.1',
    info: { title: 'Gate', version: API_VERSION, description: 'The API of a Gate: docs/api.md says more.' },
    servers: [{ url: origin ?? '/' }],
    security: Object.keys(SECURITY_SCHEMES).map((name) => ({ [name]: [] })),
    tags: [...new Set([...routes, ...others].map(({ path }) => tagOf(path)))].map((name) => ({ name })),
    paths,
    components: { securitySchemes: SECURITY_SCHEMES, schemas: { Problem: shapeOf(adminProblem, 'output') } },
  }
}

function operationOf(route: ApiRoute): Json {
  const { method, path, summary, scope, status = 200, answer, body, query, takes = 'json', refusal } = route
  return {
    operationId: idOf(method, path),
    tags: [tagOf(path)],
    summary,
    ...access(scope),
    parameters: [...pathParameters(path), ...(query === undefined ? [] : queryParameters(query))],
    ...(body !== undefined && {
      requestBody: {
        required: !body.safeParse(undefined).success,
        content: Object.fromEntries(TYPES[takes].map((type) => [type, { schema: shapeOf(body, 'input') }])),
      },
    }),
    responses: {
      ...answersOf(answer, status),
      default: {
        description: 'What is wrong, and what to do',
        content: {
          'application/problem+json': { schema: PROBLEM },
          ...(answer === 'page' && { '*/*': { schema: {} } }),
          ...(refusal !== undefined && { 'application/json': { schema: shapeOf(refusal, 'output') } }),
        },
      },
    },
  }
}

const TYPES = {
  json: ['application/json'],
  form: ['application/x-www-form-urlencoded'],
  'json or form': ['application/json', 'application/x-www-form-urlencoded'],
  bytes: ['*/*'],
} as const

function answersOf(answer: ApiRoute['answer'], status: number): Json {
  if (answer === 'page') {
    const content = { '*/*': { schema: {} } }
    return { [status]: { description: 'A page, or something for it', content }, 303: { description: 'Go there' } }
  }
  if (answer === 'stream') {
    const schema = { type: 'string' }
    const content = { 'application/x-ndjson': { schema }, 'text/event-stream': { schema } }
    return { [status]: { description: 'Lines or events, as they come', content } }
  }
  return { [status]: { description: 'Done', content: { 'application/json': { schema: shapeOf(answer, 'output') } } } }
}

function otherOperation({ method, path, scope, dialect }: OtherRoute): Json {
  const what = dialect === undefined ? 'A page of the gateway' : `As the dialect ${dialect} has it`
  return {
    operationId: idOf(method, path),
    tags: [tagOf(path)],
    summary: what,
    ...access(scope),
    parameters: pathParameters(path),
    ...(dialect !== undefined && method === 'POST' && { requestBody: { content: { '*/*': { schema: {} } } } }),
    responses: { 200: { description: 'As its dialect has it' }, default: { description: 'An error of its dialect' } },
  }
}

const NEEDS: Readonly<Record<string, string>> = {
  'signed-in': 'Needs any credential.',
  person: 'Needs the credential of a person, or of a key that is theirs.',
}

function access(scope: RouteScope): Json {
  if (scope === 'public') return { security: [], 'x-gate-scope': scope }
  const description = NEEDS[scope] ?? `Needs the scope \`${scope}\`.`
  return { description, 'x-gate-scope': scope }
}

const pathParameters = (path: string): Json[] =>
  Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))

function queryParameters(query: z.ZodType): Json[] {
  const { properties = {}, required = [] } = shapeOf(query, 'input') as Shape
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }))
}

type Shape = { readonly properties?: Readonly<Record<string, Json>>; readonly required?: readonly string[] }

/** @param io of what may be sent, or of what is answered */
function shapeOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...shape } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return shape
}

/** `get /api/admin/keys/{id}` -> `getApiAdminKeysId` */
function idOf(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}

/** `/api/admin/keys/{id}` -> `admin`; `/v1/models` -> `models` */
function tagOf(path: string): string {
  const [first = '', second = ''] = path.split('/').slice(1)
  if (first === 'auth') return 'auth'
  return first === 'api' && (second === 'admin' || second === 'user') ? second : 'gateway'
}
