import { GateError } from '../../schemas/words/errors.ts'
import type { ModelPrice } from '../../schemas/words/model-facts.ts'
import { amountText } from '../../schemas/words/money.ts'
import type { Budgets } from '../admit/budgets.ts'
import type { Pass } from '../admit/limit-pass.ts'
import { ceilingOf, type Pot, type PotWindow } from '../admit/pot.ts'
import type { Refusal, Reservation, Worst } from '../admit/reservation.ts'
import { dearestRates, worstMicrodollars } from '../meter/cost.ts'
import type { Target } from '../route/target-health.ts'
import type { Call, ModelRequest } from '../translate/call.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Job } from './job.ts'

/** `now` is Unix milliseconds. */
export type PayingParts = {
  readonly budgets: Pick<Budgets, 'pots' | 'reserve' | 'settle' | 'release' | 'spentOf' | 'charge'>
  readonly priceOf: (target: Target) => ModelPrice | null
  /** The longest answer of a model in tokens; null: not known. */
  readonly longestAnswerOf: (target: Target) => number | null
  readonly now: () => number
}

/** Prompts that are longer are counted; of others each three bytes are a token, which few tokenizers exceed. */
const COUNTED_BYTES = 64 * 2 ** 10
const BYTES_PER_TOKEN = 3
/** The longest answer of a model of which it is not known. */
const USUAL_ANSWER_TOKENS = 8_192

/**
 * Takes the tokens of a request from its rates: about what its prompt is, and what its answer is likely to be.
 * @param model as it was asked for @param target the first that is tried; undefined: there is none
 * @throws GateError TOO_MANY_REQUESTS
 */
export function askFor(
  pass: Pass,
  model: string,
  { upstream, model: target }: Pick<Target, 'upstream' | 'model'> = { upstream: '', model },
  { mostTokens = LIKELY_TOKENS }: ModelRequest,
  { body }: Call,
): void {
  const answer = Math.min(mostTokens, LIKELY_TOKENS)
  const refusal = pass.ask(
    { model, target, upstream, provider: '' },
    Math.ceil(body.length / LIKELY_BYTES_PER_TOKEN) + answer,
  )
  if (refusal !== null) throw refusal
}

/** What a backend that is paid by the hour is reserved for; an answer that takes longer takes more while it goes on. */
const EXPECTED_MS = 60_000
const HOUR_MS = 3_600_000

const LIKELY_TOKENS = 512
const LIKELY_BYTES_PER_TOKEN = 4

const FREE: Worst = { amount: 0, isFree: true, isKnown: true }
const UNKNOWN: Worst = { amount: 0, isFree: false, isKnown: false }

/**
 * Reserves what one attempt may cost from every budget that counts it.
 * @param call as the upstream gets it
 * @returns null: no budget counts it; a GateError when a budget does not allow it
 * @throws GateError STORE_UNAVAILABLE
 */
export function payFor(
  parts: PayingParts,
  job: Job,
  target: Target,
  { name, provider }: Pick<Upstream, 'name' | 'provider'>,
  call: Call,
): Reservation | null | GateError | Promise<Reservation | GateError> {
  const { pots } = parts.budgets
  if (pots.isEmpty()) return null
  const model = job.allowed?.pinned ?? job.asked.model
  const from = pots.spentFrom(job.payer, { model, target: target.model, upstream: name, provider })
  if (from.length === 0) return null
  const atMs = parts.now()
  const reserved = parts.budgets.reserve(from, atMs, worstOf(parts, job, target, call))
  return reserved instanceof Promise ? reserved.then((one) => had(one, parts.now())) : had(reserved, atMs)
}

const had = (reserved: Reservation | Refusal, nowMs: number): Reservation | GateError =>
  'kind' in reserved ? refusalError(reserved, nowMs) : reserved

function worstOf(
  { priceOf, longestAnswerOf }: PayingParts,
  { asked, dialect }: Job,
  target: Target,
  call: Call,
): Worst {
  const { does } = call.endpoint
  if (does !== 'generate' && does !== 'embed') return FREE
  const price = priceOf(target)
  if (price === null) return UNKNOWN
  const rates = dearestRates(price)
  const { perHour = 0 } = price
  if (rates.input === 0 && rates.output === 0 && perHour === 0) return FREE
  const held = Math.ceil((perHour * EXPECTED_MS) / HOUR_MS)
  const { length } = call.body
  const inputTokens = length > COUNTED_BYTES ? dialect.estimateInput(call) : Math.ceil(length / BYTES_PER_TOKEN)
  const answers = asked.choices ?? 1
  const longest = does === 'embed' ? 0 : (asked.mostTokens ?? longestAnswerOf(target) ?? USUAL_ANSWER_TOKENS) * answers
  return { amount: worstMicrodollars(rates, inputTokens, longest) + held, isFree: false, isKnown: true }
}

const NO_RETRY = { 'x-should-retry': 'false' }
const MS_PER_S = 1_000

/** What a client is told that has no money left. @param nowMs Unix milliseconds */
export function refusalError(refusal: Refusal, nowMs: number): GateError {
  const { pot } = refusal
  if (refusal.kind === 'unknown-price') {
    const message = `the price of this model is not known, and ${nameOf(pot)} refuses such models; an operator can set prices of its upstream`
    return new GateError('PRICE_UNKNOWN', message)
  }
  const { window, amount } = refusal
  const ceiling = ceilingOf(pot, window) ?? 0
  if (window.spent >= ceiling) return spentError(pot, window, nowMs)
  const left = amountText(Math.max(0, ceiling - window.spent - window.reserved))
  const message = `${nameOf(pot)} has ${left} left besides what requests in flight may cost, and this one may cost ${amountText(amount)}; ask for fewer tokens, or try again when they have ended`
  return new GateError('BUDGET_RESERVED', message, { retryAfterS: 1 })
}

/** The same where nothing is left until the window ends. @param nowMs Unix milliseconds */
export function spentError(pot: Pot, window: PotWindow, nowMs: number): GateError {
  const [spent, ceiling] = [amountText(window.spent), amountText(ceilingOf(pot, window) ?? 0)]
  const resets = new Date(window.endMs).toISOString().replace('.000', '')
  const message = `${nameOf(pot)} is spent: ${spent} of ${ceiling}; it begins anew at ${resets}, and an operator can add to it with "gatectl budget refill ${pot.rule.name}"`
  const retryAfterS = Math.max(1, Math.ceil((window.endMs - nowMs) / MS_PER_S))
  return new GateError('BUDGET_EXHAUSTED', message, { retryAfterS, headers: NO_RETRY })
}

const nameOf = ({ rule, subject }: Pot): string =>
  subject === '' || subject === '*' ? `budget "${rule.name}"` : `budget "${rule.name}" of "${subject}"`
