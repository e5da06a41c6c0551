import type { AgentAnswer } from '../schemas/agent.ts'
import type { LineReader } from '../wire/line-reader.ts'
import type { AllowList } from './allow-list.ts'

/** What an operation is given beside its request. */
export type Call = {
  readonly allow: AllowList
  /** The caller's further lines. */
  readonly lines: LineReader
  /** Resolves once there is room for more. */
  readonly answer: (line: AgentAnswer) => Promise<void>
  /** Aborts when the caller leaves. */
  readonly signal: AbortSignal
}
