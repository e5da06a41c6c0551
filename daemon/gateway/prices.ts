import type { Log } from '../../schemas/words/log.ts'
import type { ModelFacts, ModelPrice } from '../../schemas/words/model-facts.ts'
import { providerRow } from '../../schemas/words/providers.ts'
import type { Target } from '../route/target-health.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Upstreams } from '../upstream/upstreams.ts'

const MOST_PRICES = 1_000
const NOTHING: ModelPrice = { input: 0, output: 0 }

/** What targets cost, each looked up once. A price that is not known is warned of once. */
export function createPrices(upstreams: Pick<Upstreams, 'get'>, factsOf: (target: Target) => ModelFacts, log: Log) {
  /** By target, until something changes. */
  const prices = new Map<string, ModelPrice | null>()
  const warnedOf = new Set<string>()
  const longest = new Map<string, number | null>()

  function lookUp(target: Target): ModelPrice | null {
    const upstream = upstreams.get(target.upstream)
    const price = factsOf(target).price ?? (upstream === undefined || isOwn(upstream) ? NOTHING : null)
    const perHour = upstream?.perHour ?? 0
    return perHour === 0 ? price : { ...(price ?? NOTHING), perHour }
  }

  return {
    /** null: that is not known. */
    of(target: Target): ModelPrice | null {
      const name = `${target.upstream}/${target.model}`
      const known = prices.get(name)
      if (known !== undefined) return known
      const price = lookUp(target)
      if (prices.size < MOST_PRICES) prices.set(name, price)
      if (price !== null || warnedOf.has(name) || warnedOf.size >= MOST_PRICES) return price
      warnedOf.add(name)
      log('warn', 'the price of this model is not known and counts as 0; set prices of its upstream', {
        upstream: target.upstream,
        model: target.model,
      })
      return price
    },
    /** The longest answer of a target in tokens; null: that is not known. */
    longestAnswerOf(target: Target): number | null {
      const name = `${target.upstream}/${target.model}`
      const known = longest.get(name)
      if (known !== undefined) return known
      const tokens = factsOf(target).outputTokens ?? null
      if (longest.size < MOST_PRICES) longest.set(name, tokens)
      return tokens
    },
    /** Something has changed: they are looked up anew. */
    forget(): void {
      prices.clear()
      longest.clear()
    },
  }
}

/** Whether an upstream runs here, and so costs nothing. */
export function isOwn({ table, provider }: Upstream): boolean {
  return table === 'backends' || provider === 'echo' || providerRow(provider).isEngine === true
}
