import { outlineOf } from '../../../syntax/json/outline.ts'
import type { Call } from '../call.ts'
import { countTokens, tokensIn, tokensOfAll, tokensOfAnswer } from '../estimate.ts'

/** The input tokens of a request, for an upstream that reports none: of its text, its tools and its media. */
export function estimateInput({ body, outline = outlineOf(body) }: Call): number {
  return tokensIn(body, outline, 'instructions') + tokensIn(body, outline, 'input') + tokensOfAll(outline, 'tools')
}

const COUNTED = { spoken: ['instructions', 'input'], whole: ['tools'], turns: 'input' }

/** The same, for a client that asks for the number. */
export function countInput({ body, outline = outlineOf(body) }: Call): number {
  return countTokens(body, outline, COUNTED)
}

/** The output tokens of a whole answer, for an upstream that reports none. */
export const estimateOutput = (answer: Buffer): number => tokensOfAnswer(answer, 'output')
