/** Every way work on a host can fail, listed once. Codes are stable, messages are not. */
const HOST_CODES = {
  NOT_ROOT: 'the command needs root',
  BUSY: 'another one works on this host',
  NO_PODMAN: 'backends need podman, and it is not there',
  NO_PROGRAM: 'a program that the spec needs is not installed',
  WRONG_VERSION: 'podman or systemd is of a version that nothing can be compiled for',
  NOT_READABLE: 'a file cannot be read',
  NOT_WRITABLE: 'a file cannot be written',
  DISK_FULL: 'no space is left on a file system',
  FOREIGN_FILE: 'a file or link of somebody else is in the way',
  ACCOUNT_CONFLICT: 'a user, a group or an id belongs to somebody else',
  SUBID_CONFLICT: 'subordinate ids belong to somebody else',
  PORT_TAKEN: 'a port is listened on by somebody else',
  MISSING_SECRET: 'a credential or file with a secret is not there',
  MISSING_IMAGE: 'an image is neither there nor to be had',
  INVALID_FILE: 'a validator refuses what was compiled',
  UNIT_FAILED: 'a unit did not start in time',
  PROGRAM_FAILED: 'a program failed',
  NO_GENERATION: 'there is no such generation',
  BAD_RECORD: 'what an earlier apply wrote down cannot be read',
} as const satisfies Record<string, string>

type HostCode = keyof typeof HOST_CODES

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

/** The code of a system error such as "ENOENT"; empty for any other error. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** "ENOSPC: no space left on device, write" without the call. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replace(/^[A-Z0-9]+: /, '').replace(/, \w+(?: '.*)?$/s, '')
}
