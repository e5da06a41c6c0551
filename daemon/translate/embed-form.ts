import type { JsonRecord } from './json-value.ts'

// `Call` is that of dialect.ts, which knows these types.

/** Texts that are to be made into vectors. */
export type EmbedRequest = {
  readonly texts: readonly string[]
  /** Of each vector; null: as many as the model has. */
  readonly dimensions: number | null
  /** Fields that no other dialect has, as the client named them. */
  readonly ownFields: readonly string[]
}

export type Vector = readonly number[]

/** `inputTokens` is null where they were not reported. */
type EmbedAnswer = { readonly vectors: readonly Vector[]; readonly inputTokens: number | null }

/** What a client is told besides the vectors. */
type EmbedTold<Call> = { readonly call: Call; readonly model: string; readonly elapsedNs: () => number }

/** A dialect's form of embeddings. */
export type EmbedForm<Call> = {
  /** @throws GateError BAD_REQUEST */
  readonly readRequest: (call: Call) => EmbedRequest
  /** @returns what is sent as JSON */
  readonly writeRequest: (request: EmbedRequest, model: string) => object
  /** @throws Error when it has another shape */
  readonly readAnswer: (answer: JsonRecord) => EmbedAnswer
  readonly writeAnswer: (answer: EmbedAnswer & { readonly inputTokens: number }, told: EmbedTold<Call>) => object
}
