import { outlineOf } from '../../../syntax/json/outline.ts'
import type { Call } from '../call.ts'
import { tokensIn, tokensOfAll, tokensOfAnswer } from '../estimate.ts'

/** The input tokens of a request, for an upstream that reports none. */
export function estimateInput({ body, outline = outlineOf(body) }: Call): number {
  const texts = ['system', 'messages', 'prompt']
  return texts.reduce((sum, key) => sum + tokensIn(body, outline, key), 0) + tokensOfAll(outline, 'tools')
}

/** The output tokens of a whole answer, for an upstream that reports none. */
export const estimateOutput = (answer: Buffer): number =>
  tokensOfAnswer(answer, 'message') + tokensOfAnswer(answer, 'response')
