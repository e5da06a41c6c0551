import type { JsonRecord } from './json-value.ts'

/** What an engine is asked, and what is looked for in its answers. */
export type DialectProbe = {
  /** Below its base URL. */
  readonly path: string
  /** Whether the answer to an empty request is an error as this dialect has it. */
  readonly isOwnError: (answer: JsonRecord) => boolean
  /** Asks for a stream of text which is longer than it may be. */
  readonly text: (model: string, maxTokens: number) => object
  /** Asks for a stream with a call of the one tool there is. */
  readonly call: (model: string, maxTokens: number) => object
  /** What clients would miss in a stream. */
  readonly missing: (events: readonly SeenEvent[]) => readonly string[]
}

/** An event of a stream. `type`: what its `event:` line says; empty when it has none. */
export type SeenEvent = { readonly type: string; readonly data: JsonRecord }
