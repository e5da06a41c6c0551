import type { Target, TargetHealth } from './target-health.ts'

/** How the targets of a model take turns. */
export type Strategy = 'fallback' | 'weighted' | 'latency' | 'cost'

/** What is known of a target that decides whether it is chosen; what is absent is not known. */
export type TargetFacts = {
  /** What the model takes, such as `text` and `image`. */
  readonly input?: readonly string[]
  /** It calls tools. */
  readonly tools?: boolean
  /** Tokens of question and answer together. */
  readonly contextTokens?: number
  /** Micro-dollars for a million tokens. */
  readonly price?: { readonly input: number; readonly output: number }
}

/** What a request says of where it wants to go. */
export type Wanted = {
  /** Requests of one session stay together; null: it belongs to none. */
  readonly session: string | null
  /** What it holds besides text; looked up only where a target takes less than everything. */
  readonly holds: () => readonly string[]
  /** It offers tools, or is longer than so many tokens; looked up only where that may keep a target from it. */
  readonly offersTools: () => boolean
  readonly isLongerThan: (tokens: number) => boolean
  /** Models to try after the one that is named. */
  readonly models: readonly string[]
  /** Names of upstreams to try first, in this order; the only ones that may be used, null: any; those that may not. */
  readonly order: readonly string[]
  readonly only: readonly string[] | null
  readonly ignore: readonly string[]
  /** In place of the model's own strategy; null: that. */
  readonly strategy: Strategy | null
  /** One target only. */
  readonly isAlone: boolean
}

export const ANYWHERE: Wanted = {
  session: null,
  holds: () => [],
  offersTools: () => false,
  isLongerThan: () => false,
  models: [],
  order: [],
  only: null,
  ignore: [],
  strategy: null,
  isAlone: false,
}

/** Why a target cannot serve a request, in words; null: it can. */
export function unfit({ upstream }: Target, { input }: TargetFacts, wanted: Wanted): string | null {
  if (wanted.only !== null && !wanted.only.includes(upstream)) return 'the request names other upstreams'
  if (wanted.ignore.includes(upstream)) return 'the request leaves this upstream out'
  if (input === undefined) return null
  const missing = wanted.holds().filter((one) => !input.includes(one))
  return missing.length === 0 ? null : `the model takes no ${missing.join(', ')}`
}

/**
 * Why another target would do better with a request, in words; null: nothing is known. Only others are preferred: what is
 * known may be wrong, and a length is estimated.
 */
export function hindrance({ tools, contextTokens }: TargetFacts, wanted: Wanted): string | null {
  if (tools === false && wanted.offersTools()) return 'the model calls no tools'
  if (contextTokens !== undefined && wanted.isLongerThan(contextTokens))
    return `the request is longer than ${contextTokens} tokens`
  return null
}

type Known = { readonly target: Target; readonly facts: TargetFacts }

/** The targets in the order in which a strategy tries them. @param random a number from 0 to 1 */
export function inOrder(
  strategy: Strategy,
  known: readonly Known[],
  health: Pick<TargetHealth, 'load'>,
  random: () => number,
): readonly Target[] {
  switch (strategy) {
    case 'fallback':
      return known.map(({ target }) => target)
    case 'latency':
      return fasterOfTwo(known, health, random)
    case 'cost':
      return known.toSorted((a, b) => costOf(a.facts) - costOf(b.facts)).map(({ target }) => target)
    case 'weighted':
      // a weighted shuffle: each target first as often as its share, the others after it as fallback
      return known
        .map(({ target }) => ({ target, key: -Math.log(1 - random()) / target.weight }))
        .sort((a, b) => a.key - b.key)
        .map(({ target }) => target)
  }
}

/**
 * Two targets are picked at random, and the one that is expected to answer sooner comes first ("power of two known"):
 * the fastest is not overrun by everything at once. The others follow, the fastest of them first.
 */
function fasterOfTwo(
  known: readonly Known[],
  health: Pick<TargetHealth, 'load'>,
  random: () => number,
): readonly Target[] {
  const byLoad = known.map(({ target }) => target).sort((a, b) => health.load(a) - health.load(b))
  if (byLoad.length < 3) return byLoad
  const one = Math.floor(random() * byLoad.length)
  const step = 1 + Math.floor(random() * (byLoad.length - 1))
  const better = byLoad[Math.min(one, (one + step) % byLoad.length)]
  return better === undefined ? byLoad : [better, ...byLoad.filter((target) => target !== better)]
}

/** Of a million tokens each way; what has no known price costs nothing, as engines on this host do. */
export function costOf({ price }: TargetFacts): number {
  return price === undefined ? 0 : price.input + price.output
}

/** The same targets, those of some upstreams first. */
export function preferring(targets: readonly Target[], order: readonly string[]): readonly Target[] {
  if (order.length === 0) return targets
  const rank = ({ upstream }: Target) => {
    const at = order.indexOf(upstream)
    return at === -1 ? order.length : at
  }
  return targets.toSorted((a, b) => rank(a) - rank(b))
}
