import type { CountRoute } from '../../schemas/words/provider-row.ts'
import { isRecord, parsedRecord } from './json-value.ts'

/** How engines are asked for the tokens of a request. */
export type EngineCount = {
  /** Below their base URL; `{model}` is the model. */
  readonly path: string
  /** What they answer, parsed; null: no number. */
  readonly read: (answer: unknown) => number | null
  /** The request as it is counted; absent: as it is. */
  readonly question?: (request: Buffer, model: string) => Buffer
}

/** How a provider is asked that has a route of its own. */
export const ownCount = (route: CountRoute): EngineCount => ({
  path: route.path,
  read: tokensAt(route.answer),
  question: (request, model) => questionOf(request, model, route),
})

/** Some take only a part of what a request to answer it would have, or have it within another object. */
function questionOf(request: Buffer, model: string, { takes, within }: CountRoute): Buffer {
  const asked = takes === undefined && within === undefined ? null : parsedRecord(request.toString('utf8'))
  if (asked === null) return request
  const taken = Object.fromEntries(Object.entries(asked).filter(([field]) => takes?.includes(field) ?? true))
  return Buffer.from(
    JSON.stringify(within === undefined ? taken : { [within]: { model: `models/${model}`, ...taken } }),
  )
}

/** @param path where in an answer the number is */
const tokensAt =
  (path: readonly string[]): EngineCount['read'] =>
  (answer) => {
    const tokens = path.reduce<unknown>((within, key) => (isRecord(within) ? within[key] : undefined), answer)
    return Number.isSafeInteger(tokens) ? Number(tokens) : null
  }

/** What engines answer in the forms of OpenAI's and Anthropic's APIs. */
export const inputTokensIn = tokensAt(['input_tokens'])
