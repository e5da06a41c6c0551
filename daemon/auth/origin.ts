import type { IncomingHttpHeaders } from 'node:http'
import { GateError } from '../../schemas/words/errors.ts'

/** Origins of web pages, such as `https://ai.example.org`, that may act for the user who is signed in. */
export type TrustedOrigins = ReadonlySet<string>

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Refuses what a page of another site may have made a browser send, with what browsers add by themselves: cookies,
 * names and passwords, the network that it comes from. Browsers name the site over HTTPS and on this host, and the origin
 * of everything that changes something.
 * @param mustShow what changes something must show that it comes from a page of Gate's own, or from one that the
 *   operator listed; false: it must not show that it does not, as is the case for programs
 * @see https://www.w3.org/TR/fetch-metadata/ @throws GateError CSRF_REFUSED
 */
export function refuseForeignPage(
  { method, headers }: { readonly method?: string | undefined; readonly headers: IncomingHttpHeaders },
  origins: TrustedOrigins,
  mustShow: boolean,
): void {
  const { origin } = headers
  if (origin !== undefined && origins.has(origin)) return
  const site = headers['sec-fetch-site']
  if (site === 'same-origin' || site === 'none') return
  const isSafe = SAFE_METHODS.has(method ?? '')
  if (isSafe && (site === undefined || headers['sec-fetch-mode'] === 'navigate')) return
  if (!mustShow && site === undefined && origin === undefined) return
  throw new GateError(
    'CSRF_REFUSED',
    'the request does not come from a page of this gateway (server.external_url, server.allowed_origins); use a key',
  )
}

/**
 * A form that another site has sent signs no one in: a person would go on in the account of someone else.
 * @throws GateError CSRF_REFUSED
 */
export function refuseForeignForm(headers: IncomingHttpHeaders): void {
  const { origin, host } = headers
  const own = origin === undefined ? undefined : URL.parse(origin)?.host
  // whatever name the gateway has: a page of another one has another origin
  const origins = own !== undefined && own === host?.toLowerCase() ? new Set([origin ?? '']) : new Set<string>()
  refuseForeignPage({ method: 'POST', headers }, origins, true)
}
