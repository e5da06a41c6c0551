import type { SpecPath } from '../../../schemas/spec/path.ts'
import { type JsonNode, object, printJson, value } from '../../../syntax/json/print.ts'
import { PROFILES } from '../../catalog/profiles.ts'
import type { Finding } from '../../diagnostic.ts'
import type { Deployment } from '../../ir/deployment.ts'
import type { Emission } from '../output.ts'
import { declaredBackends } from './backends.ts'
import { declaredModels } from './models.ts'
import { declaredUpstreams } from './upstreams.ts'

/** The daemon's declared layer (called `nix`), as schemas/config/config.ts has it. It holds no secret: those are credentials. */
export function emitDeclared(deployment: Deployment): Emission {
  const upstreams = declaredUpstreams(deployment)
  const backends = declaredBackends(deployment)
  const models = declaredModels(deployment)
  const node = object([], {
    server: server(deployment),
    auth: auth(deployment),
    upstreams: upstreams.node,
    backends: backends.node,
    models: models.node,
    letsencrypt: letsencrypt(deployment),
    relay: relay(deployment),
    log: log(deployment),
  })
  return {
    files: [
      { path: 'declared/declared.json', install: deployment.gateway.declaredConfig, mode: 0o644, ...printJson(node) },
    ],
    findings: [...backends.findings, ...upstreams.findings, ...models.findings, ...notYet(deployment)],
  }
}

function server({ gateway }: Deployment): JsonNode {
  const origin: SpecPath = ['gate', 'server']
  const at = (key: string, content: string | number | readonly string[]) => value([...origin, key], content)
  return object(origin, {
    host: at('host', gateway.host),
    port: at('port', gateway.port),
    p2p_port: at('p2p_port', gateway.p2pPort),
    allow_from: at('allow_from', gateway.allowFrom),
    trusted_proxies: at('trusted_proxies', gateway.trustedProxies),
    max_body: at('max_body', `${gateway.maxBodyBytes}B`),
    max_buffered: at('max_buffered', `${gateway.maxBufferedBytes}B`),
    max_connections: at('max_connections', gateway.maxConnections),
    max_concurrent: at('max_concurrent', gateway.maxConcurrent),
  })
}

function auth({ gateway }: Deployment): JsonNode {
  const origin: SpecPath = ['gate', 'auth']
  const { modes, jwt } = gateway.auth
  return object(origin, {
    // never "none" because something else is not there yet
    mode: value([...origin, 'mode'], modes.every((mode) => mode === 'none') ? 'none' : 'token'),
    jwt: object([...origin, 'jwt'], {
      issuer: value([...origin, 'jwt', 'issuer'], jwt.issuer),
      expiration_hours: value([...origin, 'jwt', 'expiration_hours'], jwt.expiration_hours),
    }),
  })
}

/** The daemon gets certificates itself unless a proxy stands in front of it. */
function letsencrypt({ gateway: { tls }, proxy }: Deployment): JsonNode | undefined {
  if (tls.kind !== 'acme' || proxy.engine !== 'none') return undefined
  const origin: SpecPath = ['gate', 'tls', 'acme']
  return object(origin, {
    enabled: value(origin, true),
    email: value([...origin, 'email'], tls.email),
    staging: value([...origin, 'staging'], tls.staging),
    domains: value([...origin, 'domains'], tls.domains),
  })
}

function relay({ relayClient: { enable, addresses, custom_domain } }: Deployment): JsonNode {
  return object(['relay'], {
    enable: value(['relay', 'enable'], enable),
    addresses: value(['relay', 'addresses'], addresses),
    custom_domain: custom_domain === undefined ? undefined : value(['relay', 'custom_domain'], custom_domain),
  })
}

function log({ gateway }: Deployment): JsonNode {
  const origin: SpecPath = ['gate', 'log']
  const { level, format } = gateway.log
  return object(origin, {
    level: value([...origin, 'level'], level),
    format: format === undefined ? undefined : value([...origin, 'format'], format),
  })
}

/** What a spec can ask for and the daemon's configuration has no key for. */
function notYet(deployment: Deployment): Finding[] {
  const { gateway, budgets, sandbox, profile, proxy } = deployment
  const { tls } = gateway
  const wanted: readonly (readonly [boolean, SpecPath, string])[] = [
    ...gateway.auth.modes.map(
      (mode) => [mode !== 'token' && mode !== 'none', ['gate', 'auth', 'mode'], `sign in by ${mode}`] as const,
    ),
    [
      gateway.auth.modes.includes('none') && gateway.auth.modes.some((mode) => mode !== 'none'),
      ['gate', 'auth', 'mode'],
      'let some in without a key',
    ],
    [gateway.adminAllowFrom.length > 0, ['gate', 'server', 'admin_allow_from'], 'narrow the admin routes by address'],
    [gateway.cacheBytes !== PROFILES[profile].cacheBytes, ['gate', 'cache'], 'size its database cache'],
    [tls.kind === 'files' && proxy.engine === 'none', ['gate', 'tls', 'files'], 'serve TLS from files'],
    [tls.kind === 'internal-ca' && proxy.engine === 'none', ['gate', 'tls', 'internal_ca'], 'run a CA'],
    [
      tls.kind === 'acme' && proxy.engine === 'none' && tls.challenge !== 'tls-alpn-01',
      ['gate', 'tls', 'acme', 'challenge'],
      'use this challenge',
    ],
    [Object.keys(budgets).length > 0, ['budgets'], 'keep budgets'],
    [sandbox.enable, ['sandbox', 'enable'], 'run code'],
  ]
  return wanted
    .filter(([isWanted]) => isWanted)
    .map(([, path, what]) => ({ code: 'NOT_YET', severity: 'warning', path, message: `the daemon cannot ${what} yet` }))
}
