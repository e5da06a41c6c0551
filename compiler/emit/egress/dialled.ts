import type { SpecPath } from '../../../schemas/spec/path.ts'
import { CLOUDFLARE_API, LETS_ENCRYPT, TAILSCALE } from '../../../schemas/words/certificate-sources.ts'
import { defaultBaseUrl, isProvider } from '../../../schemas/words/providers.ts'
import { isTree, merge, type Tree, valueAt } from '../../../syntax/tree.ts'
import type { Deployment } from '../../ir/deployment.ts'

/** Something that the daemon connects to. */
export type Dialled = { readonly origin: SpecPath } & (
  | { readonly kind: 'socket'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string }
)

/**
 * Every upstream of the spec and of the settings, disabled ones included, since they can be enabled while the daemon
 * runs. Backends are not among them: they are reached by sockets in a directory of the gateway's own, or by `address`.
 */
export function dialledUpstreams({ upstreams }: Deployment, settings: Tree): Dialled[] {
  const ofSpec = upstreams.map(({ name, provider, baseUrl, socket }) => [name, { provider, base_url: baseUrl, socket }])
  const written = merge([tableAt(settings, 'backends'), tableAt(settings, 'upstreams'), Object.fromEntries(ofSpec)])
  return Object.entries(written).flatMap(([name, upstream]): Dialled[] => {
    if (!isTree(upstream)) return []
    const origin = ['upstreams', name]
    const { provider = name, base_url, socket } = upstream
    if (typeof base_url === 'string' && base_url.startsWith('gate:')) return [] // see dialledForPeers
    if (typeof socket === 'string') return [{ kind: 'socket', origin: [...origin, 'socket'], path: socket }]
    const url = base_url ?? (isProvider(provider) ? defaultBaseUrl(provider) : undefined)
    return typeof url === 'string' ? [{ kind: 'url', origin: [...origin, 'base_url'], url }] : []
  })
}

/** What the daemon asks for the certificates that it serves itself: Tailscale, the CA, and who changes the zone. */
export function dialledForCertificates({ gateway: { tlsServing } }: Deployment): Dialled[] {
  const { acme } = tlsServing ?? {}
  if (acme === undefined) return []
  const origin: SpecPath = ['gate', 'tls', 'acme']
  const tailnet = acme.domains.findIndex((name) => name.endsWith(TAILSCALE.suffix))
  const ofTailscale: Dialled[] =
    tailnet === -1 ? [] : [{ kind: 'socket', origin: [...origin, 'domains', tailnet], path: TAILSCALE.socket }]
  return acme.domains.every((name) => name.endsWith(TAILSCALE.suffix))
    ? ofTailscale
    : [...ofTailscale, ...dialledForAcme(acme)]
}

/** Other gateways, directly and through relays. */
export function dialledForPeers({ peers }: Deployment): Dialled[] {
  return Object.entries(peers).flatMap(([name, { addresses, relays }]) =>
    Object.entries({ addresses, relays }).flatMap(([key, places]) =>
      places.map((at, i): Dialled => ({ kind: 'url', origin: ['peers', name, key, i], url: `https://${at}` })),
    ),
  )
}

/** Relays, the CA that certifies the names which they give, logs of certificates, and servers that visitors go on to. */
export function dialledForRelays({ relayClient }: Deployment): Dialled[] {
  const { enable, addresses, ct_log, backends } = relayClient
  if (!enable) return []
  return [
    ...addresses.map((at, i): Dialled => ({ kind: 'url', origin: ['relay', 'addresses', i], url: `https://${at}` })),
    { kind: 'url', origin: ['relay', 'enable'], url: LETS_ENCRYPT.directory },
    ...(ct_log === undefined ? [] : [{ kind: 'url', origin: ['relay', 'ct_log'], url: ct_log } as const]),
    ...backends.map(({ address }, i): Dialled => {
      const origin: SpecPath = ['relay', 'backends', i, 'address']
      const [, path] = /^unix:(.*)$/.exec(address) ?? []
      return path === undefined ? { kind: 'url', origin, url: `https://${address}` } : { kind: 'socket', origin, path }
    }),
  ]
}

/** The identity providers that people sign in with, and Tailscale, which says who a client is. */
export function dialledForSignIn({ gateway: { auth } }: Deployment): Dialled[] {
  const at: SpecPath = ['gate', 'auth', 'tailscale', 'tailnets']
  const whois: Dialled[] =
    auth.tailscale.tailnets.length === 0 ? [] : [{ kind: 'socket', origin: at, path: TAILSCALE.socket }]
  const providers = Object.entries(auth.oidc).map(
    ([name, { issuer }]): Dialled => ({ kind: 'url', origin: ['gate', 'auth', 'oidc', name, 'issuer'], url: issuer }),
  )
  return [...whois, ...providers]
}

type Acme = NonNullable<NonNullable<Deployment['gateway']['tlsServing']>['acme']>

function dialledForAcme(acme: Acme): Dialled[] {
  const origin: SpecPath = ['gate', 'tls', 'acme']
  const usual = LETS_ENCRYPT[acme.staging ? 'staging' : 'directory']
  const directory = { kind: 'url', origin: [...origin, 'directory'], url: acme.directory ?? usual } as const
  if (acme.challenge !== 'dns-01' || acme.dns === undefined) return [directory]
  const { provider, api = CLOUDFLARE_API, server } = acme.dns
  if (provider === 'cloudflare') return [directory, { kind: 'url', origin: [...origin, 'dns', 'api'], url: api }]
  if (server === undefined) return [directory]
  // updates go over TCP
  return [directory, { kind: 'url', origin: [...origin, 'dns', 'server'], url: `dns://${server}` }]
}

function tableAt(settings: Tree, key: string): Tree {
  const table = valueAt(settings, [key])
  return isTree(table) ? table : {}
}
