import type { ModelPrice, Rates } from '../../schemas/words/model-facts.ts'

/** Tokens of one attempt, as far as they are paid for; `input` and `output` are totals. */
type PaidTokens = {
  readonly inputTokens: number
  readonly outputTokens: number
  /** Part of the input, read from a cache. */
  readonly cachedTokens: number
  /** Part of the input, put into a cache. */
  readonly cacheWriteTokens?: number
  /** Part of `cacheWriteTokens`, put there for an hour or longer. */
  readonly longCacheWriteTokens?: number
  /** The class of service that answered, where it is not the usual one. */
  readonly service?: string
}

const PER_PRICE_TOKENS = 1_000_000

/** What a cache keeps for an hour costs twice its input; Anthropic alone reports it apart. */
const LONG_CACHE_WRITE = 2

/** What one attempt costs, in whole micro-dollars, rounded up; never negative. */
export function costMicrodollars(price: ModelPrice, tokens: PaidTokens): number {
  const { input, output, cacheRead = input, cacheWrite = input } = ratesFor(price, tokens)
  // whatever is claimed, parts are no more than the whole
  const read = Math.min(tokens.cachedTokens, tokens.inputTokens)
  const written = Math.min(tokens.cacheWriteTokens ?? 0, tokens.inputTokens - read)
  const long = Math.min(tokens.longCacheWriteTokens ?? 0, written)
  const millionfold =
    (tokens.inputTokens - read - written) * input +
    read * cacheRead +
    (written - long) * cacheWrite +
    long * input * LONG_CACHE_WRITE +
    tokens.outputTokens * output
  // a quotient alone could lose what is to be rounded up, the remainder is exact
  const rest = millionfold % PER_PRICE_TOKENS
  return Math.round((millionfold - rest) / PER_PRICE_TOKENS) + (rest > 0 ? 1 : 0)
}

const dearest = new WeakMap<ModelPrice, { readonly input: number; readonly output: number }>()

/** The most that a token of a prompt, or of an answer, can cost: in the dearest tier, and written to a cache. */
export function dearestRates(price: ModelPrice): { readonly input: number; readonly output: number } {
  const known = dearest.get(price)
  if (known !== undefined) return known
  const all: readonly Rates[] = [price, ...(price.tiers ?? [])]
  const inputs = all.flatMap(({ input, cacheRead = 0, cacheWrite }) =>
    cacheWrite === undefined ? [input, cacheRead] : [input * LONG_CACHE_WRITE, cacheRead, cacheWrite],
  )
  const rates = { input: Math.max(...inputs), output: Math.max(...all.map(({ output }) => output)) }
  dearest.set(price, rates)
  return rates
}

/** What so many tokens cost at most, in whole micro-dollars. */
export function worstMicrodollars(
  { input, output }: { readonly input: number; readonly output: number },
  inputTokens: number,
  outputTokens: number,
): number {
  return Math.ceil((inputTokens * input + outputTokens * output) / PER_PRICE_TOKENS)
}

function ratesFor({ tiers = [], ...usual }: ModelPrice, { service, inputTokens }: PaidTokens): Rates {
  const fits = tiers.filter(
    ({ abovePromptTokens: above, service: asked }) =>
      (above === 0 || inputTokens > above) && (asked === null || asked === service),
  )
  return fits.at(-1) ?? usual
}
