/** What goes into a model, or comes out of it. */
export const MODALITIES = ['text', 'image', 'audio', 'video', 'file', 'embeddings'] as const
export type Modality = (typeof MODALITIES)[number]

/** In micro-dollars for a million tokens, integers. */
export type Rates = {
  readonly input: number
  readonly output: number
  readonly cacheRead?: number
  readonly cacheWrite?: number
}

/** Rates for one class of service (null: any) and prompts of more tokens. */
export type PriceTier = Rates & { readonly service: 'flex' | 'priority' | null; readonly abovePromptTokens: number }

/** Of the tiers that fit a request the last counts; without one, the rates beside them. */
export type ModelPrice = Rates & {
  readonly tiers?: readonly PriceTier[]
  /** Micro-dollars for each hour in which a backend answers, shared by what it answers at a time. */
  readonly perHour?: number
}

/** What is known of a model; what is absent is not known. */
export type ModelFacts = {
  /** Tokens of question and answer together. */
  readonly contextTokens?: number
  /** Tokens of the longest answer. */
  readonly outputTokens?: number
  readonly input?: readonly Modality[]
  readonly output?: readonly Modality[]
  /** It calls tools. */
  readonly tools?: boolean
  /** It thinks before it answers, where it is asked to. */
  readonly reasoning?: boolean
  readonly price?: ModelPrice
}

/** What holds whichever of several models answers: the smaller limit, what all can do, the price that is the same. */
export function sharedFacts(all: readonly ModelFacts[]): ModelFacts {
  const [first, ...others] = all
  return first === undefined ? {} : others.reduce(bothFacts, first)
}

function bothFacts(a: ModelFacts, b: ModelFacts): ModelFacts {
  return known({
    contextTokens: both(a.contextTokens, b.contextTokens, Math.min),
    outputTokens: both(a.outputTokens, b.outputTokens, Math.min),
    input: both(a.input, b.input, shared),
    output: both(a.output, b.output, shared),
    tools: both(a.tools, b.tools, (x, y) => x && y),
    reasoning: both(a.reasoning, b.reasoning, (x, y) => x && y),
    price: JSON.stringify(a.price) === JSON.stringify(b.price) ? a.price : undefined,
  })
}

function both<T>(a: T | undefined, b: T | undefined, join: (a: T, b: T) => T): T | undefined {
  return a === undefined || b === undefined ? undefined : join(a, b)
}

const shared = (a: readonly Modality[], b: readonly Modality[]): readonly Modality[] =>
  a.filter((one) => b.includes(one))

type Maybe<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** Without the entries that are undefined. */
export function known(facts: Maybe<ModelFacts>): ModelFacts {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
}
