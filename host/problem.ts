/** Every way work on a host can fail, listed once. Codes are stable, messages are not. */
const HOST_CODES = {
  NOT_ROOT: 'the command needs root',
  BUSY: 'another gatectl is working on this host',
  NO_PODMAN: 'backends need podman, which is not installed',
  NO_PROGRAM: 'a program that the spec needs is not installed',
  WRONG_VERSION: 'the version of podman or systemd is not supported',
  NOT_READABLE: 'a file cannot be read',
  NOT_WRITABLE: 'a file cannot be written',
  DISK_FULL: 'no space is left on a file system',
  FOREIGN_FILE: 'a file or link that gatectl did not make is in the way',
  ACCOUNT_CONFLICT: 'a user, a group or an id is already taken',
  SUBID_CONFLICT: 'subordinate ids are already taken',
  PORT_TAKEN: 'another program listens on a port',
  MISSING_SECRET: 'a credential or file with a secret is missing',
  MISSING_IMAGE: 'an image is missing and cannot be pulled',
  INVALID_FILE: 'a validator rejects what was compiled',
  UNIT_FAILED: 'a unit did not start in time',
  PROGRAM_FAILED: 'a program failed',
  NO_GENERATION: 'there is no such generation',
  BAD_RECORD: 'the record of an earlier apply cannot be read',
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
