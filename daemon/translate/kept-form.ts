import type { Call } from './call.ts'
import type { JsonRecord } from './json-value.ts'
import type { RecordedAnswer, RecordedForm, RecordFacts } from './recorded-form.ts'

/** The answers that are kept for one key, by their ids. @throws GateError STORE_UNAVAILABLE */
export type KeptAnswers = {
  /** Whether any are. */
  readonly isKeeping: () => boolean
  /** One that is being made, or was until just now; null: none is. */
  readonly recorded: (id: string) => RecordedAnswer | null
  readonly find: (id: string) => JsonRecord | null
  readonly keep: (id: string, record: JsonRecord) => void
  /** Whether one was to be kept and could not be, as far as that is remembered. */
  readonly isLost: (id: string) => boolean
  /** @returns whether there was one */
  readonly remove: (id: string) => boolean
}

export type KeptForm = {
  /**
   * Completes a request with the answers that it refers to. @throws GateError BAD_REQUEST, RESPONSE_NOT_FOUND
   */
  readonly complete: (call: Call, kept: KeptAnswers) => Call
  /** Reads the answer that a client is shown, and keeps it; null: it is not to be kept. */
  readonly tap: (call: Call, kept: KeptAnswers) => AnswerTap | null
  /**
   * How an answer is recorded; null: it ends with its connection, as far as this dialect has a say.
   * @param mayResume clients may come back to streams of any kind
   */
  readonly record: (call: Call, kept: KeptAnswers, facts: RecordFacts, mayResume: boolean) => RecordedForm | null
  /**
   * The answer of an endpoint that is about kept answers.
   * @throws GateError RESPONSE_NOT_FOUND, BAD_REQUEST
   */
  readonly page: (call: Call, kept: KeptAnswers) => KeptPage
}

/** `json` is sent as such, `stream` is a whole one; `follow`: the events of a recorded answer after a number, -1: all. */
export type KeptPage =
  | { readonly kind: 'json'; readonly value: object }
  | { readonly kind: 'stream'; readonly text: string }
  | { readonly kind: 'follow'; readonly id: string; readonly after: number }

/** Is given all bytes of an answer before the client is. */
export type AnswerTap = { readonly feed: (chunk: Buffer) => void; readonly end: () => void }
