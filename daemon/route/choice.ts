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
  /** An engine of the operator's own: it takes no money, and gives nothing away. */
  readonly isOwn?: boolean
  /** Its provider chooses among others by itself, in the words of OpenRouter. */
  readonly isRouter?: boolean
}

/** How soon an upstream can begin to answer, the sooner the earlier; what is no backend is `loaded`. */
const READINESS = ['loaded', 'starting', 'asleep', 'stopping', 'refusing'] as const
export type Readiness = (typeof READINESS)[number]

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
  /** The targets of all models are compared with each other, not those of each model for themselves. */
  readonly isAcrossModels: boolean
  /** Micro-dollars for a million tokens; null: any price. */
  readonly maxPrice: { readonly input: number; readonly output: number } | null
  /** What its upstream has to promise, by the name of the field that says so. */
  readonly promises: readonly string[]
  /** What answered the turn before this one. */
  readonly servedBy: Served | null
  /** One target only. */
  readonly isAlone: boolean
}

export type Served = { readonly upstream: string; readonly model: string }

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
  isAcrossModels: false,
  maxPrice: null,
  promises: [],
  servedBy: null,
  isAlone: false,
}

/** Of promises, those that what is on the operator's own machines keeps by itself. */
const KEPT_BY_OWN: ReadonlySet<string> = new Set(['data_collection', 'zdr'])

/** Why a target cannot serve a request, in words; null: it can. */
export function unfit({ upstream }: Target, facts: TargetFacts, wanted: Wanted): string | null {
  if (wanted.only !== null && !wanted.only.includes(upstream)) return 'the request names other upstreams'
  if (wanted.ignore.includes(upstream)) return 'the request leaves this upstream out'
  // a provider that chooses among others keeps to these by itself
  const broken = facts.isRouter === true ? null : (brokenPromise(facts, wanted) ?? tooDear(facts, wanted))
  if (broken !== null) return broken
  const { input } = facts
  if (input === undefined) return null
  const missing = wanted.holds().filter((one) => !input.includes(one))
  return missing.length === 0 ? null : `the model takes no ${missing.join(', ')}`
}

function brokenPromise({ isOwn = false }: TargetFacts, { promises }: Wanted): string | null {
  if (promises.length === 0) return null
  const broken = promises.filter((name) => !isOwn || !KEPT_BY_OWN.has(name))
  return broken.length === 0 ? null : `it cannot promise ${broken.map((name) => `provider.${name}`).join(', ')}`
}

function tooDear({ price, isOwn = false }: TargetFacts, { maxPrice }: Wanted): string | null {
  if (maxPrice === null || (price === undefined && isOwn)) return null
  if (price === undefined) return 'its price is not known, and the request sets a highest one'
  const isDear = price.input > maxPrice.input || price.output > maxPrice.output
  return isDear ? 'it costs more than the request allows' : null
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

export type Known = { readonly target: Target; readonly facts: TargetFacts }

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

/** Of a million tokens each way. Engines on this host cost nothing; what has no known price comes after all that have one. */
export function costOf({ price, isOwn = false }: TargetFacts): number {
  if (price !== undefined) return price.input + price.output
  return isOwn ? 0 : Number.MAX_VALUE
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

/** The same, what is loaded first; otherwise in their order. */
export function loadedFirst<T>(all: readonly T[], readinessOf: (one: T) => Readiness): readonly T[] {
  const rank = (one: T) => READINESS.indexOf(readinessOf(one))
  return all.toSorted((a, b) => rank(a) - rank(b))
}
