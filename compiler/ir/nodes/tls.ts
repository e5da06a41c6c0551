import type { SecretReference, Spec } from '../../../schemas/spec/spec.ts'

type Acme = NonNullable<Spec['gate']['tls']['acme']>
type Files = NonNullable<Spec['gate']['tls']['files']>

/** The first way to certificates that is set, in the order acme, files, internal CA. */
export type Tls =
  | ({ readonly kind: 'acme' } & Acme)
  | ({ readonly kind: 'files' } & Files)
  | { readonly kind: 'internal-ca' }
  | { readonly kind: 'none' }

/** How the daemon serves TLS itself, with every way to certificates that is set: it takes the first, too. */
export type TlsServing = {
  /** Absent: every address. */
  readonly host: string | undefined
  readonly httpsPort: number
  /** For redirects and http-01; absent: no such port. */
  readonly httpPort: number | undefined
  /** Of the certificate of the internal CA. */
  readonly names: readonly string[]
  readonly hstsMs: number
  readonly acme: Acme | undefined
  readonly files: Files | undefined
  readonly internalCa: boolean
  /** URL that is told of alarms. */
  readonly webhook: SecretReference | undefined
}
