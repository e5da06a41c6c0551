import type { Allowance } from '../../schemas/words/allowance.ts'
import type { Payer } from '../admit/payer.ts'
import type { Call, ModelRequest } from '../translate/call.ts'
import type { Dialect } from '../translate/dialect.ts'
import type { Answer } from './answer.ts'

/** What a client wants, read and admitted. */
export type Job = {
  readonly answer: Answer
  readonly keyId: string
  /** Whose money it costs. */
  readonly payer: Payer
  /** The models that its key may use; null: all. */
  readonly allowed: Allowance | null
  readonly dialect: Dialect
  readonly call: Call
  readonly asked: ModelRequest
  /** Of the model; empty where it has none. */
  readonly category: string
  /** What it says of its way and nothing heeds, by name. */
  readonly unheeded: readonly string[]
  /** Counts bytes that are kept for the request until it ends. @throws GateError when there are too many */
  readonly hold: (bytes: number) => void
}
