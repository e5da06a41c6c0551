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
  /** They cost what any other request does; absent: the share that batches cost. */
  isPaidInFull?: true
}

/** All makers say that a batch costs half of what its requests would. */
export const BATCH_SHARE = 0.5

/** In place of a model: requests that could not be read, or are of more models than are counted apart. */
export const UNREAD = ''

/** Models of one batch that are counted apart. */
const MOST_MODELS = 100
/** Requests that could not be read are taken to be as short. */
const USUAL_REQUEST_BYTES = 1_024
const BYTES_PER_TOKEN = 3
/** The longest answer of a model of which it is not known. */
const USUAL_ANSWER_TOKENS = 8_192
const LIKELY_BYTES_PER_TOKEN = 4
const LIKELY_ANSWER_TOKENS = 512

/** Adds a request to those of its model. @param targetOf what the upstream calls a model */
export function addRequest(
  parts: Map<string, BatchPart>,
  { model, bytes, mostTokens, isPaidInFull }: BatchRequest,
  targetOf: (model: string) => string = (same) => same,
): void {
  const isCounted = model !== UNREAD && (parts.has(model) || parts.size < MOST_MODELS)
  const part = partOf(parts, isCounted ? model : UNREAD, targetOf)
  part.requests += 1
  part.bytes += bytes
  part.answerTokens += mostTokens ?? 0
  part.unbounded += mostTokens === null ? 1 : 0
  if (isPaidInFull === true) part.isPaidInFull = true
}

/** Adds so many bytes of requests of which nothing else is known. */
export function addUnread(parts: Map<string, BatchPart>, bytes: number): void {
  const part = partOf(parts, UNREAD)
  const requests = Math.ceil(bytes / USUAL_REQUEST_BYTES)
  part.requests += requests
  part.bytes += bytes
  part.unbounded += requests
}

function partOf(
  parts: Map<string, BatchPart>,
  model: string,
  targetOf: (model: string) => string = (same) => same,
): BatchPart {
  const known = parts.get(model)
  if (known !== undefined) return known
  const target = model === UNREAD ? UNREAD : targetOf(model)
  const part = { model, target, requests: 0, bytes: 0, answerTokens: 0, unbounded: 0 }
  parts.set(model, part)
  return part
}

/** The most that the requests of a part can cost. @param longest the longest answer of the model, in tokens */
export function worstOfPart(part: BatchPart, price: ModelPrice | null, longest: number | null): Worst {
  const { bytes, answerTokens, unbounded, isPaidInFull } = part
  if (price === null) return { amount: 0, isFree: false, isKnown: false }
  const tokens = answerTokens + unbounded * (longest ?? USUAL_ANSWER_TOKENS)
  const whole = worstMicrodollars(dearestRates(price), Math.ceil(bytes / BYTES_PER_TOKEN), tokens)
  const amount = Math.ceil(whole * (isPaidInFull === true ? 1 : BATCH_SHARE))
  return { amount, isFree: amount === 0, isKnown: true, mustFit: true }
}

/** A model that requests may be for. `longest`: its longest answer in tokens; null: not known. */
export type Candidate = { readonly price: ModelPrice | null; readonly longest: number | null }

/** The same of requests that may be for any of some models: the dearest counts, and the price is not known. */
export function worstOfUnread(part: BatchPart, candidates: readonly Candidate[]): Worst {
  const amounts = candidates.map(({ price, longest }) => worstOfPart(part, price, longest).amount)
  return { amount: Math.max(0, ...amounts), isFree: false, isKnown: false, mustFit: true }
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
