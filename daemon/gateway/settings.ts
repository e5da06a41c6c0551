import type { IncomingHttpHeaders } from 'node:http'
import type { Config } from '../../schemas/config/config.ts'
import { byteCount, durationMs } from '../../schemas/config/values.ts'
import { canonicalHost, isLoopback, parseHostPort } from '../../schemas/words/address.ts'
import { isOpenMode } from '../../schemas/words/auth-modes.ts'
import { addressList, clientAddress } from '../admit/address.ts'
import type { AdmissionLimits } from '../admit/admission.ts'
import type { Over } from '../auth/authenticate.ts'
import { isOwnHost, type OwnNames } from '../auth/own-host.ts'

export type GatewaySettings = ReturnType<typeof gatewaySettings>

/** What the request path needs of the configuration, parsed once per change. */
export function gatewaySettings({ server, auth, budgets, limits }: Config) {
  const trustedProxies = addressList(server.trusted_proxies)
  const isOpen = isOpenMode(auth.mode)
  const names = ownNames({ server, auth })
  return {
    isOpen,
    bounding: { budgets, limits },
    /** Host of `server.external_url`; undefined: there is none. */
    externalHost: names.externalHost,
    isServed: servedHosts(server.allowed_hosts, isOpen),
    allowedOrigins: new Set(server.allowed_origins),
    allowFrom: addressList(server.allow_from),
    /** Whether a browser's session counts under the host that is asked for: by the configuration, or the certificate. */
    isOwnHost: (header: string | undefined, { secured }: Over): boolean =>
      isOwnHost(header, names) || secured?.isFor(parseHostPort(header ?? '').host) === true,
    /** Of the routes of operators. */
    adminAllowFrom: addressList(server.admin_allow_from),
    trustedProxies,
    /** Web pages that may act for whoever is signed in. */
    origins: trustedOrigins(server.external_url, server.allowed_origins),
    addressOf: (headers: IncomingHttpHeaders, peer: string | null) =>
      clientAddress(peer, headers['x-forwarded-for']?.toString(), trustedProxies),
    isSecured: (headers: IncomingHttpHeaders, { peer, secured }: Over) =>
      secured !== null || ((peer === null || trustedProxies.has(peer)) && headers['x-forwarded-proto'] === 'https'),
    stallTimeoutMs: durationMs(server.stall_timeout),
  }
}

/** The names that are the gateway's own. */
export function ownNames({ server, auth }: Pick<Config, 'server' | 'auth'>): OwnNames {
  return {
    externalHost: externalHost(server.external_url),
    allowed: new Set(server.allowed_hosts.map(canonicalHost)),
    tailnets: auth.tailscale.tailnets,
  }
}

function externalHost(url: string | undefined): string | undefined {
  const found = url === undefined ? null : URL.parse(url)
  return found === null ? undefined : parseHostPort(found.host).host
}

function trustedOrigins(externalUrl: string | undefined, allowed: readonly string[]): ReadonlySet<string> {
  const own = externalUrl === undefined ? null : URL.parse(externalUrl)
  return new Set(own === null ? allowed : [own.origin, ...allowed])
}

/** Whether a (canonical) host is served; null: any is. */
function servedHosts(allowed: readonly string[], isOpen: boolean): ((host: string) => boolean) | null {
  const hosts = new Set(allowed.map(canonicalHost))
  if (hosts.size > 0) return (host) => hosts.has(host)
  // without keys, a web page that has its own name resolve to 127.0.0.1 would be let in
  return isOpen ? isLoopback : null
}

/** Bounds of admission, from the same configuration. */
export function admissionLimits({ server }: Config): AdmissionLimits {
  return {
    maxConcurrent: server.max_concurrent,
    maxBodyBytes: byteCount(server.max_body),
    maxBufferedBytes: byteCount(server.max_buffered),
  }
}

/** How long answers are kept, and how many. */
export function keptLimits({ server }: Config) {
  return { keptForMs: durationMs(server.keep_responses), maxBytes: byteCount(server.max_kept) }
}

/** Whose prompts and answers are kept. */
export function textsWanted({ usage }: Config) {
  const { keys, models } = usage.keep_text
  return { keys: new Set(keys), models: new Set(models) }
}

/** Bounds of answers that outlive their connection. `resumeForMs` 0: only what runs in the background does. */
export type RecordingsLimits = {
  readonly resumeForMs: number
  readonly maxBytes: number
  readonly maxBackground: number
}

export function recordingLimits({ server }: Config): RecordingsLimits {
  return {
    resumeForMs: durationMs(server.resume_streams),
    maxBytes: byteCount(server.max_recorded),
    maxBackground: server.max_background,
  }
}
