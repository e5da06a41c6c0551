import type { Layout } from '../../../schemas/deploy/layout.ts'
import type { SpecPath } from '../../../schemas/spec/path.ts'
import { hostPort } from '../../../schemas/words/address.ts'
import { block, type Directive, directive, expression, nginxRefusal, printNginx } from '../../../syntax/nginx/print.ts'
import type { Finding } from '../../diagnostic.ts'
import type { Deployment } from '../../ir/deployment.ts'
import { CLIENT } from '../../ir/names.ts'
import type { Address } from '../../ir/nodes/node.ts'
import type { Tls } from '../../ir/nodes/tls.ts'
import type { Vhost } from '../../ir/nodes/web.ts'
import type { Emission, EmitOptions } from '../output.ts'
import { APP_HEADERS, access, listen, upstreamName, vhostServer } from './vhost.ts'

/** One file for the http block of Debian's nginx: the gateway and every exposed app, each under its own name. */
export function emitNginx(deployment: Deployment, { systemd, layout: { certificates } }: EmitOptions): Emission {
  const { proxy, names, vhosts } = deployment
  if (proxy.engine !== 'nginx' || vhosts.length === 0) return { files: [], findings: [] }
  const findings = checkDeployment(deployment, certificates)
  if (findings.some(({ severity }) => severity !== 'warning')) return { files: [], findings }
  const directives = [
    ...hashSize(vhosts),
    ...maps(names.symbol),
    ...upstreams(deployment),
    ...redirects(deployment),
    ...vhosts.map((vhost) => vhostServer(vhost, deployment, { certificates, hasHttp2: systemd >= HTTP2_SINCE })),
    ...clientServer(deployment),
  ]
  const printed = printNginx(['Made by gatectl from the spec; changes here are lost.'], directives, ['proxy'])
  return { files: [{ path: 'nginx/gate.conf', install: names.nginxConfig, mode: 0o644, ...printed }], findings }
}

/**
 * Releases with this systemd have nginx 1.25.1 or newer, where HTTP/2 is a directive; as a parameter of `listen` it
 * still works there, with a warning. Debian 12: 252 and 1.22; Ubuntu 24.04: 255 and 1.24; Debian 13: 257 and 1.26.
 */
const HTTP2_SINCE = 257

function checkDeployment({ gateway, client }: Deployment, certificates: Layout['certificates']): Finding[] {
  const { tls } = gateway
  const path = ['gate', 'tls', tls.kind.replace('-', '_')]
  const texts: { text: string; path: SpecPath }[] = [
    ...(tls.kind === 'files'
      ? (['cert', 'key'] as const).map((key) => ({ text: tls[key], path: [...path, key] }))
      : []),
    ...(tls.kind === 'acme' ? [{ text: certificates.directory, path }] : []),
    ...(client?.ca === undefined ? [] : [{ text: client.ca, path: ['client', 'ca'] }]),
  ]
  const refused = texts.flatMap(({ text, path }): Finding[] => {
    const refusal = nginxRefusal(text)
    if (refusal === undefined) return []
    return [{ code: 'NOT_EXPRESSIBLE', path, message: `nginx cannot open this path: ${refusal}`, hint: 'rename it' }]
  })
  return [...refused, ...checkChallenge(tls, path)]
}

/** nginx has the ports; certbot can use its HTTP port, but answer no TLS handshake. */
function checkChallenge(tls: Tls, path: SpecPath): Finding[] {
  if (tls.kind !== 'acme' || tls.challenge !== 'tls-alpn-01') return []
  const message = 'tls-alpn-01 challenges cannot be answered behind nginx; the files expect certbot with http-01'
  const hint = 'write challenge = "http-01", or use proxy.engine = "caddy"'
  return [{ code: 'NOT_EXPRESSIBLE', severity: 'warning', path: [...path, 'challenge'], message, hint }]
}

/** Long names do not fit nginx's default; the host's own configuration may have set it, so only then. */
function hashSize(vhosts: readonly Vhost[]): Directive[] {
  const isLong = vhosts.some(({ host }) => host.length > 40)
  return isLong ? [directive('server_names_hash_bucket_size', '512')] : []
}

function maps(symbol: string): Directive[] {
  return [
    // an empty Connection header keeps the connection to the upstream open
    block(
      'map',
      [expression('$http_upgrade'), expression(`$${symbol}_connection`)],
      [directive('default', 'upgrade'), directive("''", expression("''"))],
    ),
    ...APP_HEADERS.map(({ header, variable, fallback }) => {
      const sent = expression(`$upstream_http_${header.toLowerCase().replaceAll('-', '_')}`)
      return block(
        'map',
        [sent, expression(`$${symbol}_${variable}`)],
        [directive('default', sent), directive("''", fallback)],
      )
    }),
  ]
}

function upstreams({ vhosts, names }: Deployment): Directive[] {
  const byName = Map.groupBy(vhosts, (vhost) => upstreamName(vhost, names.symbol))
  return [...byName].flatMap(([name, [first]]) =>
    first === undefined
      ? []
      : [
          block(
            'upstream',
            [name],
            [directive('server', addressText(first.upstream)), directive('keepalive', '32')],
            first.origin,
          ),
        ],
  )
}

function addressText(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  return hostPort(address.host, address.port)
}

/** Everything on the HTTP port when there is TLS: challenges of certificates, and the way to HTTPS. */
function redirects({ proxy, gateway, vhosts, names }: Deployment): Directive[] {
  if (gateway.tls.kind === 'none') return []
  const port = proxy.https_port === 443 ? '' : `:${proxy.https_port}`
  const challenge = block(
    'location',
    ['/.well-known/acme-challenge/'],
    [directive('root', names.challengeDirectory), directive('default_type', 'text/plain')],
  )
  return [
    block(
      'server',
      [],
      [
        ...listen(proxy.http_port, ['proxy', 'http_port']),
        ...vhosts.map(({ host, origin }) => ({ ...directive('server_name', host), origin })),
        directive('server_tokens', 'off'),
        ...(gateway.tls.kind === 'acme' ? [{ ...challenge, origin: ['gate', 'tls', 'acme'] }] : []),
        block(
          'location',
          ['/'],
          [
            // 308 keeps the method, which matters for POST
            {
              ...directive('return', '308', expression(`https://$host${port}$request_uri`)),
              origin: ['proxy', 'https_port'],
            },
          ],
        ),
      ],
    ),
  ]
}

/** The installer for clients, which know no name of this host yet: on a separate port, over HTTP. */
function clientServer({ client, ...deployment }: Deployment): Directive[] {
  if (client?.port === undefined) return []
  const file = (name: string, type: string, ...inner: Directive[]) =>
    block('location', ['=', `/${name}`], [block('types', [], []), directive('default_type', type), ...inner])
  return [
    block(
      'server',
      [],
      [
        ...listen(client.port, ['client', 'port']),
        directive('server_name', '_'),
        directive('server_tokens', 'off'),
        ...access({ client, ...deployment }),
        directive('root', client.directory),
        file(CLIENT.installer, 'text/x-shellscript'),
        file(CLIENT.checksum, 'text/plain'),
        ...(client.ca === undefined
          ? []
          : [
              {
                ...file(CLIENT.ca, 'application/x-x509-ca-cert', directive('alias', client.ca)),
                origin: ['client', 'ca'],
              },
            ]),
        block('location', ['/'], [directive('return', '404')]),
      ],
      client.origin,
    ),
  ]
}
