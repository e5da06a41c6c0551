import { isRecord } from './json-value.ts'

/** How engines are asked for the tokens of a request. */
export type EngineCount = {
  /** Below their base URL; `{model}` is the model. */
  readonly path: string
  /** What they answer, parsed; null: no number. */
  readonly read: (answer: unknown) => number | null
}

/** @param path where in an answer the number is */
export const tokensAt =
  (path: readonly string[]): EngineCount['read'] =>
  (answer) => {
    const tokens = path.reduce<unknown>((within, key) => (isRecord(within) ? within[key] : undefined), answer)
    return Number.isSafeInteger(tokens) ? Number(tokens) : null
  }

/** What engines answer in the forms of OpenAI's and Anthropic's APIs. */
export const inputTokensIn = tokensAt(['input_tokens'])
