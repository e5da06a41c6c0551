import type { AdminProblem } from '../../schemas/admin.ts'

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
export function unreadable(file: string, cause: NodeJS.ErrnoException): never {
  const detail = `${file}: ${cause.message}`
  throw new Failure(
    { type: 'about:blank', title: 'Not readable', status: 400, code: 'FILE_UNREADABLE', detail },
    { cause },
  )
}
