import type { CertificateStatus } from '../../schemas/admin-tls.ts'
import { countText, gaugeText, labelText } from './series.ts'

/** Texts of the metrics of all certificates, read at the scrape. */
export function certificateMetrics(certificates: readonly CertificateStatus[]): readonly string[] {
  const each = <Value>(of: (certificate: CertificateStatus) => readonly Value[]) => certificates.flatMap(of)
  const labels = ({ name, source }: CertificateStatus, more: Readonly<Record<string, string>> = {}) =>
    labelText(['name', 'source', ...Object.keys(more)], [name, source, ...Object.values(more)])
  return [
    gaugeText(
      'gate_tls_certificate_not_after_seconds',
      'Unix time at which the certificate that is served expires.',
      each((one) => (one.served === undefined ? [] : [[labels(one), seconds(one.served.not_after)] as const])),
    ),
    gaugeText(
      'gate_tls_certificate_renews_at_seconds',
      'Unix time at which a new certificate will be got, or was due.',
      each((one) => (one.renews_at === undefined ? [] : [[labels(one), seconds(one.renews_at)] as const])),
    ),
    gaugeText(
      'gate_tls_certificate_alarm',
      'What is wrong with a certificate: 1 at its label.',
      each((one) => (one.alarm === undefined ? [] : [[labels(one, { kind: one.alarm.kind }), 1] as const])),
    ),
    countText(
      'gate_tls_renewals_total',
      'Attempts to get a certificate since the start, by outcome.',
      each((one) =>
        (['succeeded', 'failed'] as const).map((outcome) => [labels(one, { outcome }), one.renewals[outcome]] as const),
      ),
    ),
  ]
}

function seconds(time: string): number {
  return Date.parse(time) / 1_000
}
