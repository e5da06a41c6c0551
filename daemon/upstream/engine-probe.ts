import type { Grade } from '../../schemas/words/dialects.ts'

/** How an engine is asked whether it speaks one dialect, and what follows from its answers. */
export type EngineProbe = {
  readonly dialect: string
  /** Below its base URL. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** Whoever has such a route refuses it. `faultsOf`: what is wrong with the refusal */
  readonly empty: { readonly body: object; readonly faultsOf: (answer: string) => readonly string[] }
  /** Each is asked when nothing was wrong with the answer to the one before. */
  readonly questions: readonly ProbeQuestion[]
}

type ProbeQuestion = {
  readonly ask: (model: string) => object
  /** What clients would miss in the stream; null: it cannot be read at all. */
  readonly faultsOf: (stream: Buffer) => readonly string[] | null
}

/** What was found of one dialect. */
export type Found = { readonly grade: Grade; readonly faults: readonly string[] }
