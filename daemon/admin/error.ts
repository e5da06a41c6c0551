import { STATUS_CODES } from 'node:http'
import type { z } from 'zod'
import { ConfigError } from '../../config/problems.ts'
import type { AdminProblem } from '../../schemas/admin.ts'
import type { ConfigCode, ConfigProblem } from '../../schemas/config/layers.ts'
import { ERRORS, GateError } from '../../schemas/words/errors.ts'
import { issueLines } from '../../schemas/words/issue.ts'

/** A refusal of the admin API. */
export class AdminError extends Error {
  readonly status: number
  readonly code: string
  readonly hint: string | undefined
  readonly problems: readonly ConfigProblem[]
  constructor(
    status: number,
    code: string,
    message: string,
    options: { readonly hint?: string; readonly problems?: readonly ConfigProblem[]; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AdminError'
    this.status = status
    this.code = code
    this.hint = options.hint
    this.problems = options.problems ?? []
  }
}

/** The answer to what was thrown; what was not expected tells the client nothing but where to look. */
export function problemOf(error: unknown): AdminProblem {
  if (error instanceof AdminError) return problem(error.status, error.code, error.message, error.hint, error.problems)
  if (error instanceof ConfigError) return configProblemOf(error)
  if (error instanceof GateError) return problem(ERRORS[error.code].status, error.code, error.message)
  return problem(
    500,
    'INTERNAL',
    'the daemon failed to handle this request',
    'its log says why: gatectl logs --level error',
  )
}

/** Refused edits: what is not listed is a value that cannot be accepted. */
const CONFIG_STATUS: Readonly<Partial<Record<ConfigCode, number>>> = {
  UNKNOWN_KEY: 404,
  SHADOWED: 409,
  NOT_EDITABLE: 409,
  BROKEN_FILE: 409,
  CHANGED_ON_DISK: 409,
  WRITE_FAILED: 507,
}

function configProblemOf({ code, problems }: ConfigError): AdminProblem {
  const status = CONFIG_STATUS[code] ?? 422
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
  throw new AdminError(400, 'BAD_REQUEST', issueLines(result.error, body, 'body').join('; '))
}

function problem(
  status: number,
  code: string,
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
