import type { SpecPath } from '../../../schemas/spec/path.ts'
import { hostPort, isHostItself } from '../../../schemas/words/address.ts'
import { LETS_ENCRYPT } from '../../../schemas/words/certificate-sources.ts'
import {
  type CaddyNode,
  caddyRefusal,
  group,
  line,
  placeholders,
  printCaddyfile,
} from '../../../syntax/caddyfile/print.ts'
import { printUnit, type UnitFile } from '../../../syntax/unit/print.ts'
import type { Finding } from '../../diagnostic.ts'
import type { Deployment } from '../../ir/deployment.ts'
import { authorityFiles, CADDY, CLIENT, type GatewayNames } from '../../ir/names.ts'
import type { Address } from '../../ir/nodes/node.ts'
import type { Tls } from '../../ir/nodes/tls.ts'
import type { Vhost } from '../../ir/nodes/web.ts'
import type { Emission, EmitOptions } from '../output.ts'
import { entries } from '../systemd/hardening.ts'

/**
 * The Caddyfile of Debian's Caddy (2.6): the gateway and every exposed app, each under its own name; and a place for
 * its API that no other account reaches.
 */
export function emitCaddy(deployment: Deployment, { layout }: EmitOptions): Emission {
  const { proxy, vhosts, gateway } = deployment
  if (proxy.engine !== 'caddy' || vhosts.length === 0) return { files: [], findings: [] }
  const findings = checkDeployment(deployment)
  if (findings.length > 0) return { files: [], findings }
  const nodes = [
    globalOptions(deployment),
    ...(gateway.tls.kind === 'none' ? [] : [redirects(deployment)]),
    ...vhosts.map((vhost) => site(vhost, deployment)),
    ...clientSite(deployment),
  ]
  const install = `${layout.directories.units}/${CADDY.dropIn}`
  return {
    files: [
      { path: 'caddy/Caddyfile', install: CADDY.config, mode: 0o644, ...printCaddyfile(COMMENT, nodes, ['proxy']) },
      { path: `caddy/${CADDY.dropIn}`, install, mode: 0o644, ...printUnit(DROP_IN) },
    ],
    findings,
  }
}

const COMMENT = ['Made by gatectl from the spec; changes here are lost.']

/** Where Caddy's API is, which asks for no password: it listens on TCP port 2019 unless told otherwise. */
const DROP_IN: UnitFile = {
  origin: ['proxy'],
  comment: COMMENT,
  sections: [
    {
      name: 'Service',
      entries: entries({ RuntimeDirectory: CADDY.runtimeDirectory, RuntimeDirectoryMode: '0700' }),
    },
  ],
}

function checkDeployment({ gateway, client, prefix }: Deployment): Finding[] {
  const { tls, allowFrom, outerProxies } = gateway
  const cannot = (path: SpecPath, message: string, hint: string): Finding => ({
    code: 'NOT_EXPRESSIBLE',
    path,
    message,
    hint,
  })
  const texts: { text: string; path: SpecPath }[] = [
    ...(tls.kind === 'files'
      ? (['cert', 'key'] as const).map((key) => ({ text: tls[key], path: ['gate', 'tls', 'files', key] }))
      : []),
  ]
  const ca = client?.ca ?? ''
  return [
    ...(prefix === 'gate'
      ? []
      : [cannot(['gate', 'instance'], 'a host has one Caddyfile, which the first gateway has', 'use nginx')]),
    ...(tls.kind === 'acme' && tls.challenge === 'dns-01'
      ? [
          cannot(
            ['gate', 'tls', 'acme', 'challenge'],
            "Debian's Caddy cannot answer dns-01",
            'write "http-01" or "tls-alpn-01"',
          ),
        ]
      : []),
    ...(allowFrom.length > 0 && outerProxies.length > 0
      ? [
          cannot(
            ['gate', 'server', 'allow_from'],
            "Debian's Caddy cannot check addresses behind another proxy",
            'use nginx',
          ),
        ]
      : []),
    ...texts.flatMap(({ text, path }) => {
      const refusal = caddyRefusal(text)
      return refusal === undefined ? [] : [cannot(path, `Caddy cannot open this path: ${refusal}`, 'rename it')]
    }),
    // its last part goes through a rewrite, which reads it as a URL
    ...(/^[A-Za-z0-9._/ @+-]*$/.test(ca)
      ? []
      : [cannot(['client', 'ca'], 'Caddy cannot serve a file of this name', 'rename it')]),
  ]
}

function globalOptions({ proxy }: Deployment): CaddyNode {
  return group(
    [],
    [
      line('admin', `unix/${CADDY.adminSocket}`),
      { ...line('http_port', String(proxy.http_port)), origin: ['proxy', 'http_port'] },
      { ...line('https_port', String(proxy.https_port)), origin: ['proxy', 'https_port'] },
      // Caddy's own redirects leave out the port
      line('auto_https', 'disable_redirects'),
      // a reload or stop does not wait for streams forever
      line('grace_period', '10s'),
    ],
  )
}

function redirects({ proxy, vhosts }: Deployment): CaddyNode {
  const port = proxy.https_port === 443 ? '' : `:${proxy.https_port}`
  const addresses = vhosts.map(({ host }) => `http://${host}`).join(', ')
  // 308 keeps the method, which matters for POST
  return group([placeholders(addresses)], [line('redir', placeholders(`https://{host}${port}{uri}`), '308')])
}

function site(vhost: Vhost, { gateway, proxy, names }: Deployment): CaddyNode {
  const { tls, allowFrom, outerProxies } = gateway
  const seconds = Math.floor(proxy.hstsMs / 1000)
  const hsts = line('header', 'Strict-Transport-Security', `max-age=${seconds}`)
  const proxied = ['gate', 'server', 'trusted_proxies']
  return group(
    [`${tls.kind === 'none' ? 'http' : 'https'}://${vhost.host}`],
    [
      ...tlsNodes(tls, names),
      ...access(allowFrom),
      {
        ...group(['request_body'], [line('max_size', String(Math.max(1, vhost.maxBodyBytes)))]),
        origin: ['gate', 'server', 'max_body'],
      },
      ...(tls.kind === 'none' || seconds === 0 || isHostItself(vhost.host)
        ? []
        : [{ ...hsts, origin: ['proxy', 'hsts'] }]),
      // the question mark: only where the app says nothing itself
      line('header', '?X-Content-Type-Options', 'nosniff'),
      line('header', '?X-Frame-Options', 'SAMEORIGIN'),
      line('header', '?Referrer-Policy', 'same-origin'),
      group(
        ['reverse_proxy', addressText(vhost.upstream)],
        [
          // each word of an answer leaves at once
          line('flush_interval', '-1'),
          ...(outerProxies.length === 0 ? [] : [{ ...line('trusted_proxies', ...outerProxies), origin: proxied }]),
          line('header_up', '-Forwarded'),
          line('header_up', 'X-Real-IP', placeholders('{remote_host}')),
          line('header_down', '-Strict-Transport-Security'),
        ],
      ),
    ],
    vhost.origin,
  )
}

function tlsNodes(tls: Tls, names: GatewayNames): CaddyNode[] {
  if (tls.kind === 'none') return []
  if (tls.kind === 'internal-ca') {
    // not Caddy's own CA: it may sign for any site, and its root is another account's than root's
    const { cert, key } = authorityFiles(names)
    return [{ ...line('tls', cert, key), origin: ['gate', 'tls', 'internal_ca'] }]
  }
  if (tls.kind === 'files') return [{ ...line('tls', tls.cert, tls.key), origin: ['gate', 'tls', 'files'] }]
  const issuer = group(
    ['issuer', 'acme'],
    [
      line('email', tls.email),
      ...(tls.staging ? [line('dir', LETS_ENCRYPT.staging)] : []),
      line(tls.challenge === 'http-01' ? 'disable_tlsalpn_challenge' : 'disable_http_challenge'),
    ],
  )
  return [group(['tls'], [issuer], ['gate', 'tls', 'acme'])]
}

function access(allowFrom: readonly string[]): CaddyNode[] {
  if (allowFrom.length === 0) return []
  const origin = ['gate', 'server', 'allow_from']
  return [
    { ...line('@strangers', 'not', 'remote_ip', ...allowFrom), origin },
    { ...line('error', '@strangers', '403'), origin },
  ]
}

function addressText(address: Address): string {
  if (address.kind === 'unix') return `unix/${address.path}`
  return hostPort(address.host, address.port)
}

/** The installer for clients, which know no name of this host yet: on a separate port, over HTTP. */
function clientSite({ client, gateway }: Deployment): CaddyNode[] {
  if (client?.port === undefined) return []
  const file = (name: string, folder: string, stored = name) =>
    group(['handle', `/${name}`], [line('root', '*', folder), line('rewrite', '*', `/${stored}`), line('file_server')])
  const { ca, directory, origin, port } = client
  const slash = ca?.lastIndexOf('/') ?? 0
  return [
    group(
      [`http://:${port}`],
      [
        ...access(gateway.allowFrom),
        file(CLIENT.installer, directory),
        file(CLIENT.checksum, directory),
        ...(ca === undefined
          ? []
          : [{ ...file(CLIENT.ca, ca.slice(0, slash) || '/', ca.slice(slash + 1)), origin: ['client', 'ca'] }]),
        group(['handle'], [line('error', '404')]),
      ],
      origin,
    ),
  ]
}
