import type { AdminProblem } from '../schemas/admin.ts'

/** Of every command: 0 done, 1 failed, 2 wrong usage, 3 drift or a failed check. */
export type ExitCode = 0 | 1 | 2 | 3

/** Why a command could not do its work: printed as "gatectl: detail" and the hint, or as JSON. */
export class Failure extends Error {
  readonly exitCode: ExitCode
  readonly problem: AdminProblem
  constructor(problem: AdminProblem, options: { readonly exitCode?: ExitCode; readonly cause?: unknown } = {}) {
    super(problem.detail, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Failure'
    this.exitCode = options.exitCode ?? 1
    this.problem = problem
  }
}

/** A command line that cannot be understood: exit code 2. */
export function usageFailure(detail: string, hint: string): Failure {
  return new Failure(
    { type: 'about:blank', title: 'Wrong usage', status: 400, code: 'USAGE', detail, hint },
    { exitCode: 2 },
  )
}

/** @throws Failure always: a file that was named cannot be read */
export function unreadable(file: string, cause: NodeJS.ErrnoException, absentHint?: string): never {
  const [reason = cause.message, usualHint] = REASONS[cause.code ?? ''] ?? []
  const hint = cause.code === 'ENOENT' ? absentHint : usualHint
  const problem = { type: 'about:blank' as const, title: 'Not readable', status: 400, code: 'FILE_UNREADABLE' }
  throw new Failure({ ...problem, detail: `${file}: ${reason}`, ...(hint === undefined ? {} : { hint }) }, { cause })
}

/** Why a file cannot be read, and what to do, by the code of Node's error. */
const REASONS: Readonly<Record<string, readonly [reason: string, hint?: string]>> = {
  ENOENT: ['not there'],
  EACCES: ['permission denied', 'run it as root, or as a user who may read the file'],
  EISDIR: ['is a directory', 'name a file'],
  ERR_ENCODING_INVALID_ENCODED_DATA: ['is not text', 'write it in UTF-8'],
}
