import type { SpecPath } from '../../../schemas/spec/path.ts'
import { type JsonNode, object, value } from '../../../syntax/json/print.ts'
import type { TlsServing } from '../../ir/nodes/tls.ts'
import { durationText } from './duration-text.ts'

/** The daemon's tables `tls` and `letsencrypt`; secrets come as credentials. */
export function tlsTables(tls: TlsServing | undefined): Readonly<Record<'tls' | 'letsencrypt', JsonNode | undefined>> {
  if (tls === undefined) return { tls: undefined, letsencrypt: undefined }
  const { host, httpsPort, httpPort, names, hstsMs, acme, files, internalCa, webhook: _, ...rest } = tls
  rest satisfies Record<string, never>
  const origin: SpecPath = ['gate', 'tls']
  const at = (key: string, content: string | number | boolean | readonly string[] | undefined) =>
    content === undefined ? undefined : value([...origin, key], content)
  return {
    tls: object(origin, {
      host: at('host', host),
      https_port: at('https_port', httpsPort),
      http_port: at('http_port', httpPort),
      names: names.length === 0 ? undefined : at('names', names),
      files: files === undefined ? undefined : filesTable(files),
      internal_ca: internalCa ? at('internal_ca', true) : undefined,
      acme: acme === undefined ? undefined : directoryTable(acme),
      hsts: at('hsts', durationText(hstsMs)),
    }),
    letsencrypt: acme === undefined ? undefined : letsencrypt(acme),
  }
}

type Acme = NonNullable<TlsServing['acme']>

const ACME: SpecPath = ['gate', 'tls', 'acme']

function filesTable({ cert, key, ...rest }: NonNullable<TlsServing['files']>): JsonNode {
  rest satisfies Record<string, never>
  const origin: SpecPath = ['gate', 'tls', 'files']
  return object(origin, { cert: value([...origin, 'cert'], cert), key: value([...origin, 'key'], key) })
}

/** How to speak to the CA. */
function directoryTable({ directory, ca, key, eab_kid }: Acme): JsonNode {
  const at = (name: string, content: string | undefined) =>
    content === undefined ? undefined : value([...ACME, name], content)
  return object(ACME, {
    directory: at('directory', directory),
    ca: at('ca', ca),
    key: at('key', key),
    eab_kid: at('eab_kid', eab_kid),
  })
}

function letsencrypt(acme: Acme): JsonNode {
  const { email, staging, domains, challenge, dns, ...others } = acme
  const { directory: _directory, ca: _ca, key: _key, eab_kid: _kid, eab_hmac: _hmac, ...rest } = others
  rest satisfies Record<string, never>
  const at = (key: string, content: string | boolean | readonly string[]) => value([...ACME, key], content)
  return object(ACME, {
    enabled: value(ACME, true),
    email: at('email', email),
    staging: at('staging', staging),
    domains: at('domains', domains),
    challenge: at('challenge', challenge),
    dns: dns === undefined ? undefined : dnsTable(dns),
  })
}

function dnsTable({ api_token: _token, key_secret: _secret, ...dns }: NonNullable<Acme['dns']>): JsonNode {
  const { provider, api, server, zone, key_name, algorithm, ...rest } = dns
  rest satisfies Record<string, never>
  const origin: SpecPath = [...ACME, 'dns']
  const at = (key: string, content: string | undefined) =>
    content === undefined ? undefined : value([...origin, key], content)
  return object(origin, {
    provider: at('provider', provider),
    api: at('api', api),
    server: at('server', server),
    zone: at('zone', zone),
    key_name: at('key_name', key_name),
    algorithm: provider === 'rfc2136' ? at('algorithm', algorithm) : undefined,
  })
}
