import type { AgentCode } from '../schemas/words/error-codes.ts'

/** A request that cannot be done, as the caller is told. */
export class AgentRefusal extends Error {
  readonly code: AgentCode
  readonly hint: string | undefined
  constructor(code: AgentCode, message: string, hint?: string, options: { readonly cause?: unknown } = {}) {
    super(message, options)
    this.name = 'AgentRefusal'
    this.code = code
    this.hint = hint
  }
}
