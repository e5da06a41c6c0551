import type { Deployment } from '../../compiler/ir/deployment.ts'
import type { GatewayNames } from '../../compiler/ir/names.ts'
import type { DaemonStatus } from '../../schemas/admin.ts'
import type { RelayStatus } from '../../schemas/admin-relay.ts'
import type { TlsStatus } from '../../schemas/admin-tls.ts'
import type { Finding } from './finding.ts'

/** What a running daemon says of its TLS. */
export type TlsView = {
  readonly status: TlsStatus
  /** Its keys of `tls`, `letsencrypt` and `server.external_url`, without secrets. */
  readonly settings: Readonly<Record<string, unknown>>
}

/** What the running daemon says about itself, or why it says nothing. */
export type DaemonView =
  | {
      readonly kind: 'answers'
      readonly status: DaemonStatus
      readonly baseUrls: Readonly<Record<string, string>>
      /** undefined: a daemon of an older version. */
      readonly tls: TlsView | undefined
      /** undefined: a daemon of an older version. */
      readonly relay: RelayStatus | undefined
    }
  | { readonly kind: 'silent'; readonly reason: string; readonly hint: string | undefined }

export type SpecState =
  | { readonly kind: 'none' }
  /** `problems`: its errors, one line each. */
  | { readonly kind: 'refused'; readonly file: string; readonly text: string; readonly problems: readonly string[] }
  | { readonly kind: 'compiled'; readonly file: string; readonly text: string; readonly warnings: number }

/** What the checks are about. */
export type Subject = {
  readonly names: GatewayNames
  /** The spec that was looked at. */
  readonly spec: SpecState
  /** Absent without a spec, or with one that does not compile. */
  readonly deployment: Deployment | undefined
  /** Whether any of its backends was ever made on this host: by `gatectl apply`, by NixOS, or by hand. */
  readonly isApplied: boolean
  readonly isRoot: boolean
  /** Environment of gatectl; what it holds is kept out of bundles. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Version of gatectl. */
  readonly version: string
  readonly daemon: Promise<DaemonView>
}

/** One question about a host: looking, then judging what was seen without looking any further. */
export type Check<Facts> = {
  /** Stable; shown before each line. */
  readonly name: string
  /** What it finds out, for docs/doctor.md. */
  readonly summary: string
  /** @param signal aborts at the deadline of the check: whatever runs then is killed */
  observe(subject: Subject, signal: AbortSignal): Promise<Facts>
  judge(facts: Facts): readonly Finding[]
  /** Only rootless containers need what it looks at: its failures weigh less on a host that has none. */
  readonly isForContainers?: true
  /** It looks at what an apply makes: before the first one, only at what is there without a spec. */
  readonly isForApplied?: true
}

/** A check whose facts are its own matter. */
export type AnyCheck<About = Subject> = Pick<Check<unknown>, 'name' | 'summary'> & {
  examine(about: About, signal: AbortSignal): Promise<readonly Finding[]>
}

export function anyCheck<Facts>(check: Check<Facts>): AnyCheck {
  const { name, summary, observe, judge, isForContainers, isForApplied } = check
  return {
    name,
    summary,
    async examine(whole, signal) {
      const subject = isForApplied && !whole.isApplied ? { ...whole, deployment: undefined } : whole
      const findings = judge(await observe(subject, signal))
      return isForContainers ? weigh(findings, subject) : findings
    },
  }
}

/** Without a spec it is unknown whether there will be backends: a warning. With a spec that has none: skipped. */
function weigh(findings: readonly Finding[], { deployment }: Subject): readonly Finding[] {
  if (deployment !== undefined && deployment.containers.length > 0) return findings
  const worst = findings.find(({ status }) => status === 'fail' || status === 'warn')
  if (worst === undefined) return findings
  if (deployment !== undefined) return [{ status: 'ok', what: `${worst.what}, and no backend needs it` }]
  return findings.map((finding) => (finding.status === 'fail' ? { ...finding, status: 'warn' } : finding))
}
