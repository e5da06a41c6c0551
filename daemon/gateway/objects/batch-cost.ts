import type { ModelPrice } from '../../../schemas/words/model-facts.ts'
import type { Worst } from '../../admit/reservation.ts'
import { dearestRates, worstMicrodollars } from '../../meter/cost.ts'
import type { BatchRequest, BatchUsage } from '../../translate/object-form.ts'

/** The requests of a batch for one model, together. */
export type BatchPart = {
  /** As it was asked for. */
  readonly model: string
  /** As the upstream is asked for it. */
  readonly target: string
  requests: number
  /** Of the requests, as JSON. */
  bytes: number
  /** Of the longest answers that they ask for, as far as they say. */
  answerTokens: number
  /** Requests that do not say how long their answers may be. */
  unbounded: number
}

/** Both makers say that a batch costs half of what its requests would. */
export const BATCH_SHARE = 0.5

/** Models of one batch that are counted apart. */
const MOST_MODELS = 100
const BYTES_PER_TOKEN = 3
/** The longest answer of a model of which it is not known. */
const USUAL_ANSWER_TOKENS = 8_192
const LIKELY_BYTES_PER_TOKEN = 4
const LIKELY_ANSWER_TOKENS = 512

/** Adds a request to those of its model. @param targetOf what the upstream calls a model */
export function addRequest(
  parts: Map<string, BatchPart>,
  { model, bytes, mostTokens }: BatchRequest,
  targetOf: (model: string) => string = (same) => same,
): void {
  const known = parts.get(model)
  if (known === undefined && parts.size >= MOST_MODELS) return
  const part = known ?? { model, target: targetOf(model), requests: 0, bytes: 0, answerTokens: 0, unbounded: 0 }
  part.requests += 1
  part.bytes += bytes
  part.answerTokens += mostTokens ?? 0
  part.unbounded += mostTokens === null ? 1 : 0
  parts.set(model, part)
}

/** The most that the requests of a part can cost. @param longest the longest answer of the model, in tokens */
export function worstOfPart(part: BatchPart, price: ModelPrice | null, longest: number | null): Worst {
  const { bytes, answerTokens, unbounded } = part
  if (price === null) return { amount: 0, isFree: false, isKnown: false }
  const tokens = answerTokens + unbounded * (longest ?? USUAL_ANSWER_TOKENS)
  const whole = worstMicrodollars(dearestRates(price), Math.ceil(bytes / BYTES_PER_TOKEN), tokens)
  const amount = Math.ceil(whole * BATCH_SHARE)
  return { amount, isFree: amount === 0, isKnown: true, mustFit: true }
}

/** What a part has used, about, where it is not said. @param answered the share of its requests */
export function likelyUsage(
  { target, requests, bytes, answerTokens, unbounded }: BatchPart,
  answered: number,
): BatchUsage {
  const likely = requests * LIKELY_ANSWER_TOKENS
  const outputTokens = Math.ceil((unbounded > 0 ? likely : Math.min(answerTokens, likely)) * answered)
  const inputTokens = Math.ceil((bytes / LIKELY_BYTES_PER_TOKEN) * answered)
  return { model: target, usage: { inputTokens, outputTokens, cachedTokens: 0, reasoningTokens: 0 }, isEstimated: true }
}
