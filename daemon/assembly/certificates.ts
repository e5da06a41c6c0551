import { certificateSource } from '../../config/certificate-source.ts'
import { send } from '../../pki/acme/request.ts'
import type { Config } from '../../schemas/config/config.ts'
import { parseHostPort } from '../../schemas/words/address.ts'
import { CLOUDFLARE_API, LETS_ENCRYPT, TAILSCALE } from '../../schemas/words/certificate-sources.ts'
import type { Log } from '../../schemas/words/log.ts'
import { guarded } from '../../system/background.ts'
import { type Certificates, createCertificates } from '../certificates/certificates.ts'
import type { AcmeSettings, CertificateSettings, DnsSettings } from '../certificates/settings.ts'
import type { Ground } from './ground.ts'
import type { Relay } from './relay.ts'

type CertificateGround = Pick<Ground, 'log' | 'alert' | 'now' | 'monotonic' | 'stateDirectory'> & {
  readonly config: Pick<Ground['config'], 'current'>
}

/**
 * What is served over TLS, and its renewal; null: no source of certificates is configured.
 * @param relay which names it gets beside those of the configuration
 */
export function openCertificates(
  { config, log, alert, now, monotonic, stateDirectory }: CertificateGround,
  relay: Pick<Relay, 'isOn' | 'names' | 'whenNamed'>,
): Certificates | null {
  const initial = config.current()
  const configured = settingsOf(initial)
  if (configured === null) notePorts(initial, log)
  if (configured === null && !relay.isOn) return null
  const settings = withRelayed(configured ?? NONE, initial, relay)
  const webhook = () => config.current().tls.alarm_webhook
  const externalHost = () => {
    const { external_url: url } = config.current().server
    return url?.startsWith('https:') === true ? hostOf(url) : undefined
  }
  const clocks = { now, monotonic, random: Math.random }
  const certificates = createCertificates(settings, {
    stateDirectory,
    log,
    alert,
    send,
    webhook,
    externalHost,
    ...clocks,
  })
  // one that is going on may have begun before
  const lookTwice = () => certificates.check().then(certificates.check)
  relay.whenNamed(guarded(log, 'certificates were not looked at', lookTwice))
  return certificates
}

/** Names that relays lead here are proven by what they bring. */
function withRelayed(
  settings: CertificateSettings,
  config: Config,
  { isOn, names }: Pick<Relay, 'isOn' | 'names'>,
): CertificateSettings {
  return isOn ? { ...settings, acme: { ...(settings.acme ?? acmeSettings(config, [])), relayed: names } } : settings
}

/** Ports are no reason to refuse a configuration whose certificates are switched off for a while. */
function notePorts({ tls }: Config, log: Log): void {
  const key = (['https_port', 'http_port'] as const).find((port) => tls[port] !== undefined)
  if (key !== undefined)
    log(
      'warn',
      `tls.${key} has no effect, as there are no certificates: set letsencrypt.enabled, tls.files or tls.internal_ca`,
    )
}

const NONE: CertificateSettings = { acme: undefined, tailscale: undefined, files: undefined, internalCa: undefined }

/** The first source that is set; names of a tailnet come from Tailscale. */
export function settingsOf(config: Config): CertificateSettings | null {
  const { tls, letsencrypt, server } = config
  switch (certificateSource(config)) {
    case 'none':
      return null
    case 'files': {
      const { cert, key } = tls.files
      return cert === undefined || key === undefined ? null : { ...NONE, files: { cert, key } }
    }
    case 'internal-ca': {
      const external = server.external_url === undefined ? [] : [hostOf(server.external_url)]
      return { ...NONE, internalCa: { names: [...new Set([...external, ...tls.names])] } }
    }
    case 'acme': {
      const isOfTailnet = (name: string) => name.endsWith(TAILSCALE.suffix)
      const tailnet = letsencrypt.domains.filter(isOfTailnet)
      const names = letsencrypt.domains.filter((name) => !isOfTailnet(name))
      return {
        ...NONE,
        ...(names.length > 0 && { acme: acmeSettings(config, names) }),
        ...(tailnet.length > 0 && { tailscale: { names: tailnet, socket: TAILSCALE.socket } }),
      }
    }
  }
}

const hostOf = (url: string): string => parseHostPort(new URL(url).host).host

function acmeSettings({ tls: { acme }, letsencrypt }: Config, names: readonly string[]): AcmeSettings {
  return {
    directory: acme.directory ?? (letsencrypt.staging ? LETS_ENCRYPT.staging : LETS_ENCRYPT.directory),
    caFile: acme.ca,
    email: letsencrypt.email,
    key: acme.key,
    eab: acme.eab_kid === undefined ? undefined : { kid: acme.eab_kid, hmac: acme.eab_hmac },
    names,
    challenge: letsencrypt.challenge,
    dns: dnsSettings(letsencrypt),
    resolvers: [],
  }
}

function dnsSettings({ dns, challenge }: Config['letsencrypt']): DnsSettings | undefined {
  if (challenge !== 'dns-01') return undefined
  const { provider, api = CLOUDFLARE_API, api_token, server, zone, key_name, key_secret, algorithm } = dns
  switch (provider) {
    case undefined:
      return undefined
    case 'cloudflare':
      return api_token === undefined ? undefined : { provider, api: api.replace(/\/$/, ''), token: api_token }
    case 'rfc2136':
      return server === undefined || zone === undefined || key_name === undefined || key_secret === undefined
        ? undefined
        : { provider, server, zone, key: { name: key_name, algorithm, secret: key_secret } }
  }
}
