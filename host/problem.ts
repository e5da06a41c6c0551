import type { HostCode } from '../schemas/words/error-codes.ts'

/** One thing that is wrong: what, where, what to do; and what a program said about it. */
export type HostProblem = {
  readonly code: HostCode
  readonly message: string
  readonly hint?: string
  /** Output of a validator, or the last log lines of a unit. */
  readonly lines?: readonly string[]
}

/** Work on a host that cannot go on. All that is wrong is collected where that is possible. */
export class HostError extends Error {
  readonly problems: readonly [HostProblem, ...HostProblem[]]
  constructor(first: HostProblem, ...more: readonly HostProblem[]) {
    super(first.message)
    this.name = 'HostError'
    this.problems = [first, ...more]
  }
}

/** "ENOSPC: no space left on device, write" without the call. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replace(/^[A-Z0-9]+: /, '').replace(/, \w+(?: '.*)?$/s, '')
}
