import { outlineOf } from '../../../syntax/json/outline.ts'
import type { Call } from '../call.ts'
import { tokensIn, tokensOfAll, tokensOfAnswer } from '../estimate.ts'

/** The input tokens of a request, for an upstream that reports none: of its text, its tools and its media. */
export function estimateInput({ body, outline = outlineOf(body) }: Call): number {
  return tokensIn(body, outline, 'messages') + tokensOfAll(outline, 'tools')
}

/** The output tokens of a whole answer, for an upstream that reports none. */
export const estimateOutput = (answer: Buffer): number => tokensOfAnswer(answer, 'choices')
