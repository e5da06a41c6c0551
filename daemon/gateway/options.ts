import type { EndpointTable } from './endpoints.ts'
import type { Exchange } from './exchange.ts'

const NONE: readonly string[] = []
const NOTHING = Buffer.alloc(0)
/** How long a browser may cache the answer to a preflight. */
const MAX_AGE_S = '600'
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/

/** Answers OPTIONS: what a path takes, and whether a page may ask it. @throws GateError UNKNOWN_ROUTE */
export function options(table: EndpointTable, { request, answer, path }: Exchange): void {
  const allow = table.allow(path)
  if (allow === null) throw table.refusalOf({ kind: 'unknown' }, 'OPTIONS', path)
  if (answer.cors.length > 0) {
    const asked = String(request.headers['access-control-request-headers'] ?? '').split(',')
    const headers = asked.map((name) => name.trim()).filter((name) => TOKEN.test(name))
    const answers = ['access-control-allow-methods', allow, 'access-control-max-age', MAX_AGE_S]
    answer.cors = [...answer.cors, ...answers, 'access-control-allow-headers', headers.join(', ')]
  }
  answer.end(204, { allow }, NOTHING)
}

/**
 * The headers that let a page of an allowed origin read the answer, names and values in turn; none for any other
 * client, whose browser then keeps the answer from it. Never with credentials: keys are not cookies.
 */
export function corsHeaders(origin: string | undefined, allowed: ReadonlySet<string>): readonly string[] {
  if (origin === undefined || !allowed.has(origin)) return NONE
  return ['access-control-allow-origin', origin, 'access-control-expose-headers', '*', 'vary', 'Origin']
}
