import { usageFailure } from '../../failure.ts'
import type { Invocation } from '../../invocation.ts'

/**
 * Of the daemon of this host: what its clients write, and where it is asked from here, without a certificate that this
 * host may not trust, or a name that resolves elsewhere alone.
 */
export async function ownUrls(admin: Invocation['admin']): Promise<{ readonly url: string; readonly at: string }> {
  const [{ listen }, { value: external }] = await Promise.all([
    admin.ask('GET /api/admin/system'),
    admin.ask('GET /api/admin/config/keys/{key}', { parameter: 'server.external_url' }),
  ])
  const url = URL.parse(typeof external === 'string' ? external : '')?.origin
  const own = listenedUrl(listen)
  if (url !== undefined) return { url, at: own?.startsWith('http:') ? own : url }
  if (own !== undefined) return { url: own, at: own }
  throw usageFailure('the daemon of this host listens on no address', 'name one with --url')
}

function listenedUrl(listen: readonly string[]): string | undefined {
  const url = listen.map((at) => URL.parse(at)).find((at) => at?.protocol === 'http:' || at?.protocol === 'https:')
  if (url === undefined || url === null) return undefined
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1'
  if (url.hostname === '[::]') url.hostname = '[::1]'
  return url.origin
}

/** The address of a gateway as it was given: what people paste may have the path of a dialect. @throws Failure USAGE */
export function asUrl(text: string): string {
  const url = URL.parse(text)
  const isFit = url !== null && /^https?:$/.test(url.protocol) && /^\/(v1\/?)?$/.test(url.pathname) && url.search === ''
  if (isFit && url.username === '' && url.password === '') return url.origin
  throw usageFailure(`--url: "${text}" is not the address of a gateway`, 'such as --url https://gate.example.com')
}
