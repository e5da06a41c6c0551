import { STATUS_CODES } from 'node:http'
import type { z } from 'zod'
import { ConfigError } from '../../config/problems.ts'
import type { AdminProblem, ProblemCode } from '../../schemas/admin.ts'
import { AGENT_ERRORS, AgentError } from '../../schemas/agent-error.ts'
import type { ConfigProblem } from '../../schemas/config/layers.ts'
import { ADMIN_CODES, type AdminCode, CONFIG_CODES } from '../../schemas/words/error-codes.ts'
import { ERRORS, GateError } from '../../schemas/words/errors.ts'
import { issueLines } from '../../schemas/words/issue.ts'

/** A refusal of the admin API. */
export class AdminError extends Error {
  readonly code: AdminCode
  readonly hint: string | undefined
  constructor(code: AdminCode, message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AdminError'
    this.code = code
    this.hint = options.hint
  }
}

/** The answer to what was thrown; what was not expected tells the client nothing but where to look. */
export function problemOf(error: unknown): AdminProblem {
  if (error instanceof AdminError) return problem(ADMIN_CODES[error.code].status, error.code, error.message, error.hint)
  if (error instanceof AgentError)
    return problem(AGENT_ERRORS[error.code].status, error.code, error.message, error.hint)
  if (error instanceof ConfigError) return configProblemOf(error)
  if (error instanceof GateError) return problem(ERRORS[error.code].status, error.code, error.message)
  const message = 'the daemon failed to handle this request'
  return problem(ADMIN_CODES.INTERNAL.status, 'INTERNAL', message, 'its log says why: gatectl logs --level error')
}

function configProblemOf({ code, problems }: ConfigError): AdminProblem {
  const { status } = CONFIG_CODES[code]
  const [first, ...others] = problems
  if (first === undefined || others.length > 0)
    return problem(status, code, `${problems.length} problems, nothing was changed`, undefined, problems)
  const { key, where, message, hint } = first
  const place = key !== undefined && message.startsWith(key) ? '' : `${where}: `
  return problem(status, code, place + message, hint, problems)
}

/** @param shape schema from schemas/admin.ts  @throws AdminError BAD_REQUEST naming each wrong field */
export function parseRequest<T>(shape: z.ZodType<T>, body: unknown): T {
  const result = shape.safeParse(body)
  if (result.success) return result.data
  throw new AdminError('BAD_REQUEST', issueLines(result.error, body, 'body').join('; '))
}

function problem(
  status: number,
  code: ProblemCode,
  detail: string,
  hint?: string,
  problems: readonly ConfigProblem[] = [],
): AdminProblem {
  const title = STATUS_CODES[status] ?? 'Error'
  return {
    type: 'about:blank',
    title,
    status,
    code,
    detail,
    ...(hint === undefined ? {} : { hint }),
    ...(problems.length === 0 ? {} : { problems: [...problems] }),
  }
}

/** For the log: what this API says by itself needs no stack. */
export function describe(error: unknown): string {
  if (error instanceof AdminError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
