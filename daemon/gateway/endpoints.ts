import { GateError } from '../../schemas/words/errors.ts'
import type { Scope } from '../../schemas/words/scopes.ts'
import { pathPattern } from '../admin/path-pattern.ts'
import type { ApiRoute, RouteScope } from '../admin/route.ts'
import type { Principal } from '../auth/principal.ts'
import { nearNames } from '../route/near-names.ts'
import type { Endpoint } from '../translate/call.ts'
import type { Dialect } from '../translate/dialect.ts'
import type { Exchange } from './exchange.ts'

/** Answers a request without any upstream. @param principal who asks */
export type Page = (exchange: Exchange, param: string, principal: Principal) => void | Promise<void>

type Place = { readonly method: string; readonly path: string }
/** A row of the API. */
export type ApiRow = Place & {
  readonly kind: 'api'
  readonly scope: Exclude<RouteScope, 'public'> | null
  readonly route: ApiRoute
  readonly dialect?: undefined
}
/** One row of the endpoint table. `scope` is what a key must be allowed to do; null: no key is asked for. */
export type Row = ApiRow | DialectRow
type DialectRow = Place & { readonly scope: Scope | null } & (
    | { readonly kind: 'generate' | 'object'; readonly dialect: Dialect; readonly endpoint: Endpoint }
    | { readonly kind: 'page'; readonly dialect?: Dialect; readonly withHeader?: string; readonly page: Page }
  )

/** Where a request goes. `param` is the text in place of a path's `{name}`, still percent-encoded. */
export type Found =
  | { readonly kind: 'row'; readonly row: Row; readonly param: string }
  | { readonly kind: 'wrong-method'; readonly rows: readonly Row[] }
  | { readonly kind: 'unknown' }

type Leading = Extract<Found, { readonly kind: 'row' }>
type Pattern = { readonly prefix: string; readonly suffix: string; readonly rows: readonly Row[] }
type ApiPattern = { readonly fits: (path: string) => boolean; readonly rows: readonly Row[] }

const UNKNOWN: Found = { kind: 'unknown' }

export type EndpointTable = ReturnType<typeof createEndpointTable>

/** Every route of the gateway: methods, `Allow`, near paths and the list of routes all come from these rows. */
export function createEndpointTable(rows: readonly Row[]) {
  const byPath = Map.groupBy(rows, ({ path }) => path)
  const fixed = new Map<string, readonly Leading[]>()
  const patterns: Pattern[] = []
  const apiPatterns: ApiPattern[] = []
  /** Rows whose method and path no other row has: there is nothing to tell them from. */
  const alone = new Set<Row>()
  for (const [path, all] of byPath) {
    const [prefix = '', suffix] = path.split(/\{[^}]*\}/)
    for (const same of Map.groupBy(all, ({ method }) => method).values())
      if (same.length === 1) alone.add(same[0] as Row)
    // a row that asks for something comes before the one for everything else
    const sorted = all.toSorted((a, b) => Number(isPicky(b)) - Number(isPicky(a)))
    if (suffix === undefined)
      fixed.set(
        path,
        sorted.map((row) => ({ kind: 'row', row, param: '' })),
      )
    else if (all.some(({ kind }) => kind === 'api')) apiPatterns.push({ fits: pathPattern(path).fits, rows: sorted })
    else patterns.push({ prefix, suffix, rows: sorted })
  }
  patterns.sort((a, b) => b.prefix.length + b.suffix.length - (a.prefix.length + a.suffix.length))
  const forModels = [...new Set(rows.filter(({ kind }) => kind !== 'api').map(({ path }) => path))]
  const versions = new Set(rows.filter(isOfDialect).map(({ path }) => path.slice(0, path.indexOf('/', 1))))

  /** Looks a request up. @param path without a query @param url with it */
  function find(method: string, path: string, headers: Headers, url = ''): Found {
    const known = fixed.get(path)
    if (known !== undefined) {
      for (const leading of known) if (fits(leading.row, method, headers, url, alone)) return leading
      return { kind: 'wrong-method', rows: known.map(({ row }) => row) }
    }
    const pattern = patterns.find(
      ({ prefix, suffix }) =>
        path.length > prefix.length + suffix.length && path.startsWith(prefix) && path.endsWith(suffix),
    )
    if (pattern === undefined) return findInApi(method, path) ?? findNear(method, path, headers, url)
    const row = pattern.rows.find((one) => fits(one, method, headers, url, alone))
    if (row === undefined) return { kind: 'wrong-method', rows: pattern.rows }
    return { kind: 'row', row, param: path.slice(pattern.prefix.length, path.length - pattern.suffix.length) }
  }

  /** Of paths with names in them; each name is one segment, and a path that fits two is refused when it is made. */
  function findInApi(method: string, path: string): Found | undefined {
    const fitting = apiPatterns.filter(({ fits: takes }) => takes(path)).flatMap((pattern) => pattern.rows)
    if (fitting.length === 0) return undefined
    const row = fitting.find((one) => methodsOf(one).includes(method))
    return row === undefined ? { kind: 'wrong-method', rows: fitting } : { kind: 'row', row, param: '' }
  }

  /** What a base URL with a slash too many, or with the version left out or written twice, can only have meant. */
  function findNear(method: string, path: string, headers: Headers, url: string): Found {
    if (path.length > LONGEST_NEAR_PATH) return UNKNOWN
    const all = nearPaths(path, versions)
      .filter((near) => near !== path)
      .map((near) => find(method, near, headers, url))
    const rows = all.filter(({ kind }) => kind === 'row')
    const [only, ...others] = rows.length > 0 ? rows : all.filter(({ kind }) => kind === 'wrong-method')
    if (only === undefined || only.kind === 'unknown') return UNKNOWN
    // of several dialects that have the path, the one that is listed first is meant
    if (others.some((other) => dialectOf(other) === dialectOf(only))) return UNKNOWN
    const isMeant =
      only.kind === 'row' ? isOfDialect(only.row) && path.includes(only.param) : only.rows.every(isOfDialect)
    return isMeant ? only : UNKNOWN
  }

  return {
    rows,
    find,
    /** The methods that a path takes, `*` for any path; null when there is no such path. */
    allow(path: string): string | null {
      if (path === '*') return allowOf(rows)
      const found = find('OPTIONS', path, {})
      return found.kind === 'wrong-method' ? allowOf(found.rows) : null
    },
    /**
     * In which dialect a request is answered that may match no route: one that a header of it or the beginning of its
     * path is of.
     */
    dialectFor(found: Found, path: string, headers: Headers): Dialect | undefined {
      if (found.kind === 'row') return found.row.dialect
      const beginning = path.slice(0, path.indexOf('/', 1) + 1)
      const near = found.kind === 'wrong-method' ? found.rows : rows.filter((row) => row.path.startsWith(beginning))
      const named = rows.find((row) => headers[headerOf(row) ?? ''] !== undefined)
      return (named ?? near.find((row) => isOfDialect(row) && headerOf(row) === undefined))?.dialect
    },
    /** The refusal of a request that matches no route. @param dialect in which it is told */
    refusalOf(found: Exclude<Found, Leading>, method: string, path: string, dialect?: Dialect): GateError {
      if (found.kind === 'wrong-method') {
        const allow = allowOf(found.rows)
        return new GateError('METHOD_NOT_ALLOWED', `${path} accepts ${allow}`, { headers: { allow } })
      }
      const absent = dialect?.absent?.find(({ paths }) => paths.test(path))
      if (absent !== undefined) {
        return new GateError('UNKNOWN_ROUTE', `no route ${method} ${path.slice(0, LONGEST_PATH_SHOWN)}; ${absent.why}`)
      }
      const known = [...byPath.keys()].filter((one) => one !== '/')
      const near = path === '/' ? [] : nearNames(path.slice(0, LONGEST_PATH_SHOWN), known)
      const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : `the routes are ${forModels.join(', ')}`
      return new GateError('UNKNOWN_ROUTE', `no route ${method} ${path.slice(0, LONGEST_PATH_SHOWN)}; ${hint}`)
    },
  }
}

function dialectOf(found: Found): Dialect | undefined {
  if (found.kind === 'row') return found.row.dialect
  return found.kind === 'wrong-method' ? found.rows[0]?.dialect : undefined
}

type Headers = Exchange['request']['headers']

const LONGEST_PATH_SHOWN = 200
const LONGEST_NEAR_PATH = 2_000

/** Pages of Gate's own are served at one path only, so that a proxy in front can close them off. */
const isOfDialect = (row: Row): boolean => row.dialect !== undefined

/**
 * A path without double slashes, and without one at its end: with the version in front once, or with any where there is
 * none.
 */
function nearPaths(path: string, versions: ReadonlySet<string>): readonly string[] {
  let near = path.replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1')
  for (const version of versions) {
    while (near.startsWith(`${version}${version}/`)) near = near.slice(version.length)
    if (near.startsWith(`${version}/`)) return [near]
  }
  return Array.from(versions, (version) => version + near)
}

function allowOf(rows: readonly Row[]): string {
  return [...new Set(rows.flatMap(methodsOf)), 'OPTIONS'].join(', ')
}

/** HEAD is answered wherever GET is; Node leaves the body out. */
function methodsOf({ method }: Row): readonly string[] {
  return method === 'GET' ? ['GET', 'HEAD'] : [method]
}

function headerOf(row: Row): string | undefined {
  if (row.kind === 'api') return undefined
  return row.kind === 'page' ? row.withHeader : row.endpoint.withHeader
}

function queryOf(row: Row): string | undefined {
  return row.kind === 'page' || row.kind === 'api' ? undefined : row.endpoint.withQuery
}

const isPicky = (row: Row): boolean => headerOf(row) !== undefined || queryOf(row) !== undefined

/** @param alone rows that need not have what tells a row from others */
function fits(row: Row, method: string, headers: Headers, url: string, alone: ReadonlySet<Row>): boolean {
  if (row.method !== method && !(method === 'HEAD' && row.method === 'GET')) return false
  if (alone.has(row)) return true
  const header = headerOf(row)
  const query = queryOf(row)
  if (query !== undefined && !queryIn(url).includes(query)) return false
  return header === undefined || headers[header] !== undefined
}

const queryIn = (url: string): readonly string[] => url.slice(url.indexOf('?') + 1).split('&')
