import { type CertificateParts, createCertificates } from '../../daemon/certificates/certificates.ts'
import type { CertificateSettings } from '../../daemon/certificates/settings.ts'
import { send } from '../../pki/acme/request.ts'
import type { Log, LogFields } from '../../schemas/words/log.ts'

const NONE: CertificateSettings = { acme: undefined, tailscale: undefined, files: undefined, internalCa: undefined }

/** A gateway's certificates with clocks that a test moves. */
export function watchedCertificates(
  settings: Partial<CertificateSettings>,
  stateDirectory: string,
  parts: Partial<CertificateParts> = {},
) {
  let [wallMs, steadyMs] = [0, 0]
  const lines: { level: string; message: string; fields: LogFields | undefined }[] = []
  const log: Log = (level, message, fields) => void lines.push({ level, message, fields })
  const certificates = createCertificates(
    { ...NONE, ...settings },
    {
      stateDirectory,
      now: () => Date.now() + wallMs,
      monotonic: () => performance.now() + steadyMs,
      random: () => 0.5,
      log,
      alert: () => {},
      send,
      webhook: () => undefined,
      externalHost: () => undefined,
      ...parts,
    },
  )
  const first = () => certificates.status().certificates[0]
  return {
    certificates,
    /** Status of the first one. */
    first,
    serial: () => first()?.served?.serial,
    warnings: () =>
      lines.filter(({ level }) => level === 'warn').map(({ message, fields }) => `${message}: ${fields?.domain}`),
    errors: () => lines.filter(({ level }) => level === 'error').map(({ fields, message }) => fields?.error ?? message),
    /** Time goes by. */
    pass(ms: number): void {
      wallMs += ms
      steadyMs += ms
    },
    /** The clock is set. */
    jump(ms: number): void {
      wallMs += ms
    },
  }
}
