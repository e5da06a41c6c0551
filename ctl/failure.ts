import type { AdminProblem } from '../schemas/admin.ts'
import { GATECTL_CODES, type GatectlCode } from '../schemas/words/error-codes.ts'

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

/** What gatectl found out by itself; the exit code is that of the code. */
export function failure(
  code: GatectlCode,
  detail: string,
  { hint, cause }: { readonly hint?: string | undefined; readonly cause?: unknown } = {},
): Failure {
  const { status, meaning, exit = 1 }: { status: number; meaning: string; exit?: ExitCode } = GATECTL_CODES[code]
  const problem = { type: 'about:blank', title: meaning, status, code, detail } as const
  return new Failure(hint === undefined ? problem : { ...problem, hint }, { exitCode: exit, cause })
}

/** A command line that cannot be understood: exit code 2. */
export function usageFailure(detail: string, hint: string): Failure {
  return failure('USAGE', detail, { hint })
}

/** @throws Failure always: a file that was named cannot be read */
export function unreadable(file: string, cause: NodeJS.ErrnoException, absentHint?: string): never {
  const [reason = cause.message, usualHint] = REASONS[cause.code ?? ''] ?? []
  const hint = cause.code === 'ENOENT' ? absentHint : usualHint
  throw failure('FILE_UNREADABLE', `${file}: ${reason}`, { hint, cause })
}

/** Why a file cannot be read, and what to do, by the code of Node's error. */
const REASONS: Readonly<Record<string, readonly [reason: string, hint?: string]>> = {
  ENOENT: ['not there'],
  EACCES: ['permission denied', 'run it as root, or as a user who may read the file'],
  EISDIR: ['is a directory', 'name a file'],
  EFBIG: ['is larger than 16 MiB', 'name the file that you meant'],
  ERR_ENCODING_INVALID_ENCODED_DATA: ['is not text', 'write it in UTF-8'],
}
