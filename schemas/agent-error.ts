import { AGENT_CODES, NO_AGENT_CODES } from './words/error-codes.ts'

/** Why an agent did not do what it was asked for: its own reason, or that there is no (honest) agent. */
export const AGENT_ERRORS = { ...AGENT_CODES, ...NO_AGENT_CODES } as const
export type AgentErrorCode = keyof typeof AGENT_ERRORS

/** Thrown by everything that asks an agent. */
export class AgentError extends Error {
  readonly code: AgentErrorCode
  readonly hint: string | undefined
  constructor(code: AgentErrorCode, message: string, hint?: string, options: { readonly cause?: unknown } = {}) {
    super(message, options)
    this.name = 'AgentError'
    this.code = code
    this.hint = hint
  }
}
