// What all dialects have in common. Types only: no dialect translates yet, and where these turn out too narrow for the
// first two that do, they change with them.

/** A part of a message. `signature` comes back to the model unchanged. */
export type NeutralPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'reasoning'; readonly text: string; readonly signature: string | null }
  | { readonly kind: 'media'; readonly mediaType: string; readonly source: { readonly url: string } | Uint8Array }
  | { readonly kind: 'tool-call'; readonly id: string; readonly name: string; readonly argumentsJson: string }
  | {
      readonly kind: 'tool-result'
      readonly id: string
      readonly parts: readonly NeutralPart[]
      readonly isError: boolean
    }

export type NeutralMessage = { readonly role: 'system' | 'user' | 'assistant'; readonly parts: readonly NeutralPart[] }

export type NeutralRequest = {
  readonly model: string
  readonly stream: boolean
  readonly messages: readonly NeutralMessage[]
  readonly tools: readonly { readonly name: string; readonly description: string; readonly schema: unknown }[]
  readonly toolChoice: { readonly kind: 'auto' | 'none' | 'any' } | { readonly kind: 'tool'; readonly name: string }
  readonly maxOutputTokens: number | null
  readonly temperature: number | null
  readonly topP: number | null
  readonly stop: readonly string[]
  /** A JSON Schema that the answer has to follow. */
  readonly answerSchema: unknown
}

export type NeutralUsage = {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedTokens: number
  readonly reasoningTokens: number
}

export type NeutralFinish = 'end' | 'length' | 'stop-sequence' | 'tool-calls' | 'refused'

export type NeutralAnswer = {
  readonly id: string
  readonly model: string
  readonly parts: readonly NeutralPart[]
  readonly finish: NeutralFinish
  readonly usage: NeutralUsage | null
}

/** One step of a streamed answer. `index` numbers the parts of the answer. */
export type NeutralEvent =
  | { readonly kind: 'begin'; readonly id: string; readonly model: string }
  | { readonly kind: 'part'; readonly index: number; readonly part: NeutralPart }
  | { readonly kind: 'delta'; readonly index: number; readonly text: string }
  | { readonly kind: 'part-end'; readonly index: number }
  | { readonly kind: 'end'; readonly finish: NeutralFinish; readonly usage: NeutralUsage | null }
  | { readonly kind: 'error'; readonly message: string }

/** A dialect's translation: what arrives is read into the neutral form, what leaves is written from it. */
export type NeutralForm = {
  /** @throws GateError BAD_REQUEST */
  readonly readRequest: (body: Uint8Array) => NeutralRequest
  readonly writeRequest: (request: NeutralRequest) => Uint8Array
  /** @throws Error when it has another shape */
  readonly readAnswer: (body: Uint8Array) => NeutralAnswer
  readonly writeAnswer: (answer: NeutralAnswer) => Uint8Array
  /** @returns what reads one stream, chunk by chunk */
  readonly eventReader: () => (chunk: Uint8Array) => readonly NeutralEvent[]
  /** @returns what writes one stream, event by event */
  readonly eventWriter: () => (event: NeutralEvent) => string
}
