import { isRecord } from './json-value.ts'

/** How engines are asked for the tokens of a request. */
export type EngineCount = {
  /** Below their base URL. */
  readonly path: string
  /** What they answer, parsed; null: no number. */
  readonly read: (answer: unknown) => number | null
}

/** What engines answer in the forms of OpenAI's and Anthropic's APIs. */
export function inputTokensIn(answer: unknown): number | null {
  const tokens = isRecord(answer) ? answer['input_tokens'] : null
  return Number.isSafeInteger(tokens) ? Number(tokens) : null
}
