import { randomBytes } from 'node:crypto'
import type { Config } from '../../schemas/config/config.ts'
import { durationMs } from '../../schemas/config/values.ts'
import { hostPort, PRIVATE_RANGES } from '../../schemas/words/address.ts'
import { rangesOf } from '../../schemas/words/address-ranges.ts'
import type { Log } from '../../schemas/words/log.ts'
import { addressList } from '../admit/address.ts'
import { gatewaySettings } from '../gateway/settings.ts'
import { createAddressLimit } from '../listener/address-limit.ts'
import type { Connection } from '../listener/connection.ts'
import { type Answering, createHttpListener, type HttpLimits, type Layer, type ListenAt } from '../listener/http.ts'
import { createHttpsLayer } from '../listener/https.ts'
import type { Identities } from '../listener/identities.ts'
import { afterProxyHeader, PLAIN } from '../listener/proxied.ts'
import { redirecting } from '../listener/redirect.ts'
import type { NoteHandshake } from '../listener/tls.ts'
import { PEER_ALPN } from '../relay/peers/protocol.ts'

/** Where clients are listened for, by what is spoken there. */
export type Places = {
  readonly gateway: readonly ListenAt[]
  readonly https: readonly ListenAt[]
  readonly http: readonly ListenAt[]
}

type ListenerParts = {
  readonly answering: Answering
  readonly identities: Identities
  readonly limits: HttpLimits
  readonly noteHandshake: NoteHandshake
  /** Takes the connections of other gateways. */
  readonly takePeer: Layer['accept']
  /** Monotonic milliseconds. */
  readonly monotonic: () => number
  readonly log: Log
}

const HTTPS_PORT = 443

/** @param hasCertificates whether a source of certificates is configured */
export function placesOf(
  passed: { readonly gateway: readonly number[]; readonly https: readonly number[]; readonly http: readonly number[] },
  { server, tls }: Config,
  hasCertificates: boolean,
): Places {
  const at = (fds: readonly number[], else_: readonly ListenAt[]) =>
    fds.length > 0 ? fds.map((fd) => ({ fd })) : else_
  const own = (port: number | undefined) => (port === undefined || !hasCertificates ? [] : [{ host: tls.host, port }])
  return {
    gateway: at(passed.gateway, [{ host: server.host, port: server.port }]),
    https: at(passed.https, own(tls.https_port ?? HTTPS_PORT)),
    http: at(passed.http, own(tls.http_port)),
  }
}

/** All that clients can connect to, as one. */
export function createListeners(places: Places, parts: ListenerParts, initial: Config) {
  const { answering, identities, limits, noteHandshake, takePeer, monotonic, log } = parts
  let settings = settingsOf(initial)
  let httpsPort = HTTPS_PORT
  const isTrusted = (peer: string) => settings.takesProxyHeader && settings.trustedProxies.has(peer)
  const addresses = createAddressLimit({
    most: () => settings.mostPerAddress,
    isProxy: (address) => settings.trustedProxies.has(address),
    now: monotonic,
    log,
  })
  const limited =
    (accept: Layer['accept']): Layer['accept'] =>
    (socket, via, next) => {
      if (addresses.take(socket, via.peer)) accept(socket, via, next)
      else socket.destroy()
    }
  const proxied = <L extends Layer>(layer: L): L => ({
    ...layer,
    accept: afterProxyHeader(isTrusted, limited(layer.accept)),
  })
  const https = createHttpsLayer({
    identities,
    answering,
    limits,
    hstsSeconds: () => settings.hstsSeconds,
    noteHandshake,
    others: new Map([[PEER_ALPN, takePeer]]),
    random: randomBytes,
    now: monotonic,
    log,
  })
  const redirects = redirecting({
    identities,
    externalUrl: () => settings.externalUrl,
    isServed: () => settings.isServed,
    httpsPort: () => httpsPort,
    errorBody: answering.errorBody,
  })
  const created = [
    ...places.gateway.map((at) => ({ key: 'server.port', at, listener: plain(answering) })),
    ...places.https.map((at) => ({
      key: 'tls.https_port',
      at,
      listener: createHttpListener(answering, limits, log, proxied(https)),
    })),
    ...places.http.map((at) => ({ key: 'tls.http_port', at, listener: plain(redirects) })),
  ]

  const relayed = initial.relay.enable
    ? createHttpListener(answering, limits, log, { ...https, accept: limited(https.accept) })
    : null

  const peers = createHttpListener(answering, limits, log, { ...PLAIN, scheme: 'https', accept: limited(takePeer) })
  let peersUrl: Promise<string> | null = null

  /**
   * Who a visitor is by the word of a relay: an address of the Internet, or else one that is in no list, as it would be
   * as good as a key. Each is still told from the others.
   */
  const visitorAddress = (source: string): string =>
    isPrivate(source) || settings.trusted.has(source) ? `relayed:${source}` : source

  function plain(answers: Answering) {
    return createHttpListener(answers, limits, log, proxied(PLAIN))
  }

  return {
    apply(next: Config): void {
      settings = settingsOf(next)
    },
    /** @returns the URLs listened on, those of the gateway first. @throws Error (EADDRINUSE, EACCES, …) */
    async listen(): Promise<readonly string[]> {
      const urls: string[] = []
      for (const { key, at, listener } of created) {
        const url = await listener.listen(at).catch((error: unknown) => {
          throw key === 'server.port' ? error : ofTls(error, key, at)
        })
        if (key === 'tls.https_port' && 'port' in at) httpsPort = Number(new URL(url).port || HTTPS_PORT)
        urls.push(url)
      }
      relayed?.serve('relay')
      return urls
    },
    /**
     * Serves a visitor that a relay has brought.
     * @param source the visitor's address, canonical, as the relay says; see `visitorAddress`
     * @param leaving aborts when its tunnel ends before long
     */
    takeRelayed(socket: Connection, source: string, leaving: AbortSignal): void {
      if (relayed === null) socket.destroy()
      else relayed.take(socket, { peer: visitorAddress(source), secured: null, isRelayed: true, leaving })
    },
    /** Listens for other gateways, from the first call on. @returns where @throws Error (EADDRINUSE, EACCES, …) */
    listenForPeers(): Promise<string> {
      peersUrl ??= peers.listen({ host: initial.server.host, port: initial.server.p2p_port })
      return peersUrl
    },
    async drain(signal: AbortSignal): Promise<void> {
      const all = [...created.map(({ listener }) => listener), ...(relayed === null ? [] : [relayed]), peers]
      await Promise.all(all.map((listener) => listener.drain(signal)))
      https.close()
    },
  }
}

/** Why a port for TLS cannot be listened on. @param key that says which port */
export function ofTls(error: unknown, key: string, at: ListenAt): Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  const where = 'fd' in at ? `socket ${at.fd}` : hostPort(at.host ?? '*', at.port)
  const remedy = code === 'EACCES' ? 'ports below 1024 need the right to bind them; ' : ''
  const wrong = code === 'EADDRNOTAVAIL' ? 'tls.host' : key
  return new Error(`cannot listen on ${where} (${code}): ${remedy}set ${wrong}`, { cause: error })
}

/** Of this host, private networks and tailnets: they say who somebody is without a key, or may say so. */
const isPrivate = rangesOf(PRIVATE_RANGES)

function settingsOf(config: Config) {
  const { server, auth } = config
  return {
    takesProxyHeader: server.proxy_protocol,
    mostPerAddress: server.max_connections_per_address,
    trustedProxies: addressList(server.trusted_proxies),
    /** What no relay may say of a visitor, beside private addresses. */
    trusted: addressList([...server.trusted_proxies, ...auth.proxy.from]),
    externalUrl: server.external_url,
    isServed: gatewaySettings(config).isServed,
    hstsSeconds: hstsSecondsOf(config),
  }
}

/** How long browsers are told to insist on HTTPS; 0 also while certificates are for trying, which no browser trusts. */
export function hstsSecondsOf({ tls, letsencrypt }: Pick<Config, 'tls' | 'letsencrypt'>): number {
  const isTrial = letsencrypt.enabled && letsencrypt.staging
  return isTrial ? 0 : Math.floor(durationMs(tls.hsts) / 1_000)
}
