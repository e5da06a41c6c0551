import { GateError } from '../../schemas/words/errors.ts'
import type { Scope } from '../../schemas/words/scopes.ts'
import { nearNames } from '../route/near-names.ts'
import type { Dialect, Endpoint } from '../translate/dialect.ts'
import type { Exchange } from './exchange.ts'

/** Answers a request without any upstream. */
export type Page = (exchange: Exchange, param: string) => void | Promise<void>

/** One row of the endpoint table. `scope` is what a key must be allowed to do; null: no key is asked for. */
export type Row = { readonly method: string; readonly path: string; readonly scope: Scope | null } & (
  | { readonly kind: 'generate'; readonly dialect: Dialect; readonly endpoint: Endpoint }
  | { readonly kind: 'page'; readonly dialect?: Dialect; readonly withHeader?: string; readonly page: Page }
)

/** Where a request goes. `param` is the text in place of a path's `{name}`, still percent-encoded. */
export type Found =
  | { readonly kind: 'row'; readonly row: Row; readonly param: string }
  | { readonly kind: 'wrong-method'; readonly rows: readonly Row[] }
  | { readonly kind: 'unknown' }

type Leading = Extract<Found, { readonly kind: 'row' }>
type Pattern = { readonly prefix: string; readonly suffix: string; readonly rows: readonly Row[] }

const UNKNOWN: Found = { kind: 'unknown' }

export type EndpointTable = ReturnType<typeof createEndpointTable>

/** Every route of the gateway: methods, `Allow`, near paths and the list of routes all come from these rows. */
export function createEndpointTable(rows: readonly Row[]) {
  const byPath = Map.groupBy(rows, ({ path }) => path)
  const fixed = new Map<string, readonly Leading[]>()
  const patterns: Pattern[] = []
  for (const [path, all] of byPath) {
    const [prefix = '', suffix] = path.split(/\{[^}]*\}/)
    // a row that asks for a header comes before the one for everything else
    const sorted = all.toSorted((a, b) => Number(headerOf(b) !== undefined) - Number(headerOf(a) !== undefined))
    if (suffix === undefined)
      fixed.set(
        path,
        sorted.map((row) => ({ kind: 'row', row, param: '' })),
      )
    else patterns.push({ prefix, suffix, rows: sorted })
  }
  patterns.sort((a, b) => b.prefix.length + b.suffix.length - (a.prefix.length + a.suffix.length))

  return {
    rows,
    /** Looks a request up. @param path without a query */
    find(method: string, path: string, headers: Exchange['request']['headers']): Found {
      const known = fixed.get(path)
      if (known !== undefined) {
        for (const leading of known) if (fits(leading.row, method, headers)) return leading
        return { kind: 'wrong-method', rows: known.map(({ row }) => row) }
      }
      const pattern = patterns.find(
        ({ prefix, suffix }) =>
          path.length > prefix.length + suffix.length && path.startsWith(prefix) && path.endsWith(suffix),
      )
      if (pattern === undefined) return UNKNOWN
      const row = pattern.rows.find((one) => fits(one, method, headers))
      if (row === undefined) return { kind: 'wrong-method', rows: pattern.rows }
      return { kind: 'row', row, param: path.slice(pattern.prefix.length, path.length - pattern.suffix.length) }
    },
    /** The refusal of a request that matches no route. */
    refusalOf(found: Exclude<Found, Leading>, method: string, path: string): GateError {
      if (found.kind === 'wrong-method') {
        const allow = [...new Set(found.rows.flatMap(methodsOf))].join(', ')
        return new GateError('METHOD_NOT_ALLOWED', `${path} takes ${allow}`, { headers: { allow } })
      }
      const near = path === '/' ? [] : nearNames(path.slice(0, LONGEST_PATH_SHOWN), byPath.keys())
      const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : `there are ${[...byPath.keys()].join(', ')}`
      return new GateError('UNKNOWN_ROUTE', `no route ${method} ${path.slice(0, LONGEST_PATH_SHOWN)}; ${hint}`)
    },
  }
}

const LONGEST_PATH_SHOWN = 200

/** HEAD is answered wherever GET is; Node leaves the body out. */
function methodsOf({ method }: Row): readonly string[] {
  return method === 'GET' ? ['GET', 'HEAD'] : [method]
}

function headerOf(row: Row): string | undefined {
  return row.kind === 'generate' ? row.endpoint.withHeader : row.withHeader
}

function fits(row: Row, method: string, headers: Exchange['request']['headers']): boolean {
  if (row.method !== method && !(method === 'HEAD' && row.method === 'GET')) return false
  const header = headerOf(row)
  return header === undefined || headers[header] !== undefined
}
