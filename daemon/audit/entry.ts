import type { Proof } from '../../schemas/words/proofs.ts'

/** What an entry may hold of the old and the new: plain JSON. Secrets only as `Audit.fingerprint` shows them. */
export type AuditFacts =
  | null
  | boolean
  | number
  | string
  | readonly AuditFacts[]
  | { readonly [name: string]: AuditFacts }

/** One thing that was done, or was refused. */
export type AuditEntry = {
  readonly who: {
    readonly via: Proof
    /** The person, else the key; empty where neither is known, as at a failed login. */
    readonly id: string
    /** As people know them: the name of a user or key, or the name that a failed login gave. */
    readonly name: string
  }
  /** `area.verb`, such as `key.create`, `login`, `break-glass`. */
  readonly action: string
  /** What it was done to, `kind:id`, such as `key:3f…`; empty where it is about nothing else than who. */
  readonly object: string
  readonly from: { readonly address: string | null; readonly via: 'https' | 'http' | 'socket' | 'daemon' }
  readonly outcome: 'done' | 'refused' | 'failed'
  /** Of what was refused or failed: the code, or a few constant words. */
  readonly reason?: string
  readonly old?: AuditFacts
  readonly new?: AuditFacts
}

/** What parts of the daemon need of the audit. */
export type Audit = {
  /**
   * Refuses while entries cannot be written, as on a full disk: call it before anything is changed.
   * @throws GateError STORE_UNAVAILABLE
   */
  readonly require: () => void
  /**
   * Appends an entry; it is on the disk when this returns. What cannot be written waits in memory, and `require` refuses
   * until it was. What is refused again and again is written a bounded number of times a minute, and then counted.
   * Never throws.
   */
  readonly record: (entry: AuditEntry) => void
  /** What an entry says in place of a secret: the same for the same one, until the daemon is started again. */
  readonly fingerprint: (secret: string) => string
}
