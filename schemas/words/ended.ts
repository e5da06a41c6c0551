/** What stops to count: one credential, or all that a person has. */
export type Ended = { readonly kind: 'credential' | 'user'; readonly id: string; readonly why: EndCause }

/** Why a credential does not count any more, or counts for less than before. */
export type EndCause = 'expired' | 'revoked' | 'disabled' | 'removed' | 'narrowed' | 'signed-out'
