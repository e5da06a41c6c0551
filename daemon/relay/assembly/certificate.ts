import { send } from '../../../pki/acme/request.ts'
import { createCertificates } from '../../certificates/certificates.ts'
import type { CertificateSettings } from '../../certificates/settings.ts'
import type { KeyAndCertificate } from '../server/parts.ts'
import type { Ground } from './ground.ts'
import { domainOf } from './settings.ts'

/**
 * The certificate of relay.<domain>: by ACME or from files; meanwhile, and without either, one that the relay's own key
 * signs, which nodes pin.
 */
export function openCertificate(ground: Ground, ownKey: KeyAndCertificate) {
  const { config, stateDirectory, now, monotonic, log } = ground
  const host = `relay.${domainOf(config())}`
  const certificates = createCertificates(certificateSettings(ground, host), {
    stateDirectory,
    now,
    monotonic,
    random: Math.random,
    log,
    send,
    alert: () => {},
    webhook: () => undefined,
    externalHost: () => undefined,
  })
  const { identities } = certificates
  return {
    identity: (): KeyAndCertificate => identities.current()[0] ?? ownKey,
    challenge: (): KeyAndCertificate | null => identities.challengeFor(host) ?? null,
    /** Whether nodes have to pin the relay's key. */
    isOwn: (): boolean => identities.current().length === 0,
    ready: certificates.ready,
    start: certificates.start,
    check: certificates.check,
    close: certificates.close,
  }
}

function certificateSettings({ config }: Ground, host: string): CertificateSettings {
  const { acme, cert_file, key_file } = config().tls
  const files = cert_file === undefined || key_file === undefined ? undefined : { cert: cert_file, key: key_file }
  const ordered = {
    directory: acme.directory,
    caFile: acme.ca_file,
    email: acme.email,
    key: 'ecdsa' as const,
    eab: undefined,
    names: [host],
    challenge: 'tls-alpn-01' as const,
    dns: undefined,
    resolvers: [],
  }
  return { acme: acme.enabled ? ordered : undefined, tailscale: undefined, files, internalCa: undefined }
}
