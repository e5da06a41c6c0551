import { providerRow } from '../../schemas/words/providers.ts'
import { awsKeyOf, type Signable, scopeOf, signed } from './sigv4.ts'

/** A header, name and value. */
type Header = readonly [string, string]

/** The headers of a request that say whose it is, names and values in turn. */
export type Credential = (request: Pick<Signable, 'method' | 'path' | 'body'>) => readonly string[]

/** The keys of an upstream, as they are configured: separated by commas. */
export function keysIn(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(',').filter((key) => key !== '')
}

/**
 * How a provider is told its key: in one header, or as a signature of each request.
 * @param usual how its dialect has it @param host where it answers @param now Unix milliseconds
 */
export function credentialOf(
  provider: string,
  key: string,
  usual: (key: string) => Header,
  host: string,
  now: () => number,
): Credential {
  const { key: form } = providerRow(provider)
  const pair = form === 'aws' ? awsKeyOf(key) : null
  if (pair !== null) {
    const scope = scopeOf(host)
    return (request) => signed({ ...request, host }, pair, scope, now())
  }
  const header = headerOf(form, key, usual)
  return () => header
}

function headerOf(form: ReturnType<typeof providerRow>['key'], key: string, usual: (key: string) => Header): Header {
  switch (form) {
    case 'dialect':
      return usual(key)
    case 'bearer':
    case 'aws':
      return ['authorization', `Bearer ${key}`]
    case 'x-api-key':
    case 'api-key':
      return [form, key]
  }
}
