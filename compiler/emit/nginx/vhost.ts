import type { Layout } from '../../../schemas/deploy/layout.ts'
import type { SpecPath } from '../../../schemas/spec/path.ts'
import { isHostItself } from '../../../schemas/words/address.ts'
import { block, type Directive, directive, expression } from '../../../syntax/nginx/print.ts'
import type { Deployment } from '../../ir/deployment.ts'
import { authorityFiles, certificateFiles, type GatewayNames } from '../../ir/names.ts'
import type { Tls } from '../../ir/nodes/tls.ts'
import type { Vhost } from '../../ir/nodes/web.ts'

/** Headers that an app may set itself; ours are used where it does not. */
export const APP_HEADERS = [
  { header: 'X-Content-Type-Options', variable: 'content_type_options', fallback: 'nosniff' },
  { header: 'X-Frame-Options', variable: 'frame_options', fallback: 'SAMEORIGIN' },
  { header: 'Referrer-Policy', variable: 'referrer_policy', fallback: 'same-origin' },
] as const

type Target = {
  readonly certificates: Layout['certificates']
  /** Its nginx knows the directive `http2`. */
  readonly hasHttp2: boolean
}

/** One name over HTTPS, or over HTTP when there is no TLS. */
export function vhostServer(vhost: Vhost, deployment: Deployment, { certificates, hasHttp2 }: Target): Directive {
  const { gateway, proxy, names } = deployment
  const { symbol } = names
  const tls = tlsDirectives(gateway.tls, names, certificates)
  const isTls = tls.length > 0
  const port = isTls ? proxy.https_port : proxy.http_port
  return block(
    'server',
    [],
    [
      ...(isTls
        ? listen(port, ['proxy', 'https_port'], 'ssl', ...(hasHttp2 ? [] : ['http2']))
        : listen(port, ['proxy', 'http_port'])),
      ...(isTls && hasHttp2 ? [directive('http2', 'on')] : []),
      directive('server_name', vhost.host),
      directive('server_tokens', 'off'),
      ...tls,
      ...access(deployment),
      // 0 would mean no limit
      {
        ...directive('client_max_body_size', String(Math.max(1, vhost.maxBodyBytes))),
        origin: ['gate', 'server', 'max_body'],
      },
      ...headers(deployment, vhost),
      block('location', ['/'], proxying(upstreamName(vhost, symbol), symbol, hostText(port, isTls ? 443 : 80))),
    ],
    vhost.origin,
  )
}

export function listen(port: number, origin: SpecPath, ...flags: readonly string[]): Directive[] {
  return [`${port}`, `[::]:${port}`].map((address) => ({ ...directive('listen', address, ...flags), origin }))
}

function tlsDirectives(tls: Tls, names: GatewayNames, certificates: Layout['certificates']): Directive[] {
  if (tls.kind === 'none') return []
  const origin = ['gate', 'tls', tls.kind.replace('-', '_')]
  const { cert, key } = filesOf(tls, names, certificates)
  return [
    { ...directive('ssl_certificate', cert), origin },
    { ...directive('ssl_certificate_key', key), origin },
    directive('ssl_protocols', 'TLSv1.2', 'TLSv1.3'),
    directive('ssl_session_cache', `shared:${names.symbol}:10m`),
    directive('ssl_session_tickets', 'off'),
  ]
}

function filesOf(tls: Exclude<Tls, { kind: 'none' }>, names: GatewayNames, certificates: Layout['certificates']) {
  if (tls.kind === 'files') return tls
  return tls.kind === 'acme' ? certificateFiles(certificates, tls.domains[0] ?? '') : authorityFiles(names)
}

/** The address of a client is what a listed proxy says, and what the connection says for every other client. */
export function access({ gateway }: Deployment): Directive[] {
  const { outerProxies, allowFrom } = gateway
  const proxies = ['gate', 'server', 'trusted_proxies']
  const realIp = [
    ...outerProxies.map((range, i) => ({ ...directive('set_real_ip_from', range), origin: [...proxies, i] })),
    { ...directive('real_ip_header', 'X-Forwarded-For'), origin: proxies },
    { ...directive('real_ip_recursive', 'on'), origin: proxies },
  ]
  const allowed = ['gate', 'server', 'allow_from']
  const allow = [
    ...allowFrom.map((range, i) => ({ ...directive('allow', range), origin: [...allowed, i] })),
    { ...directive('deny', 'all'), origin: allowed },
  ]
  return [...(outerProxies.length === 0 ? [] : realIp), ...(allowFrom.length === 0 ? [] : allow)]
}

function headers({ gateway, proxy, names }: Deployment, { host }: Vhost): Directive[] {
  const seconds = Math.floor(proxy.hstsMs / 1000)
  const hsts = directive('add_header', 'Strict-Transport-Security', `max-age=${seconds}`, 'always')
  return [
    directive('proxy_hide_header', 'Strict-Transport-Security'),
    ...(gateway.tls.kind === 'none' || seconds === 0 || isHostItself(host)
      ? []
      : [{ ...hsts, origin: ['proxy', 'hsts'] }]),
    ...APP_HEADERS.flatMap(({ header, variable }) => [
      directive('proxy_hide_header', header),
      directive('add_header', header, expression(`$${names.symbol}_${variable}`), 'always'),
    ]),
  ]
}

/** The name that chose this server; $http_host could be another, since a name in the request line comes before it. */
function hostText(port: number, usual: number): string {
  return port === usual ? '$host' : '$host:$server_port'
}

function proxying(upstream: string, symbol: string, host: string): Directive[] {
  const header = (name: string, text: string) => directive('proxy_set_header', name, expression(text))
  return [
    directive('proxy_pass', `http://${upstream}`),
    directive('proxy_http_version', '1.1'),
    header('Host', host),
    header('Upgrade', '$http_upgrade'),
    header('Connection', `$${symbol}_connection`),
    // set, never appended: what a stranger claims is gone
    header('X-Forwarded-For', '$remote_addr'),
    header('X-Forwarded-Host', host),
    header('X-Forwarded-Proto', '$scheme'),
    header('X-Real-IP', '$remote_addr'),
    header('Forwarded', "''"),
    // each word of an answer leaves at once, and no prompt is written to the disk on its way
    directive('proxy_buffering', 'off'),
    directive('proxy_request_buffering', 'off'),
    directive('proxy_connect_timeout', '5s'),
    directive('proxy_read_timeout', '1h'),
    directive('proxy_send_timeout', '1h'),
    directive('proxy_next_upstream', 'off'),
  ]
}

export function upstreamName({ kind, host }: Vhost, symbol: string): string {
  return kind === 'gateway' ? `${symbol}_gateway` : `${symbol}_${host.replaceAll(/[.-]/g, '_')}`
}
