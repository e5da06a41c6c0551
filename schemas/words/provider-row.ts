import type { DialectName, Grade } from './dialects.ts'

/** How a key is sent. dialect: as the dialect has it. aws: as a bearer, or as signatures when it is a pair of AWS keys. */
export type KeyForm = 'bearer' | 'x-api-key' | 'api-key' | 'aws' | 'dialect'

/** How upstreams differ that all speak OpenAI's chat completions. */
export type ChatQuirks = {
  /** Whether it reports the usage of a stream when asked; `refused`: it does so unasked, and refuses unknown keys. */
  readonly usage: 'asked' | 'unknown' | 'refused'
  /** The field that limits the answer. */
  readonly limit: 'max_tokens' | 'max_completion_tokens'
  /** The field that makes answers repeatable. */
  readonly seed: 'seed' | 'random_seed'
  /** The field of a message in which it takes back what it thought; null: it does not. */
  readonly thinking: 'reasoning_content' | 'reasoning' | null
  /**
   * What stands for a thought that is not there: where tools are offered, it refuses a turn of the model without one.
   * Absent: nothing does.
   */
  readonly missingThought?: string
  /** It signs what it thought, and takes the list of it back in `reasoning_details`. */
  readonly hasDetails: boolean
  /** It takes `top_k`. */
  readonly hasTopK: boolean
  /** The model's template is told whether to think. */
  readonly hasTemplate: boolean
  /** It knows the role `developer`; others are sent `system` in its place. */
  readonly hasDeveloper: boolean
  /** An answer can be made to fit a schema; else it is JSON, and the schema is asked for in words. */
  readonly hasSchemas: boolean
  /** It has tools that take a text in place of JSON. */
  readonly hasFreeform: boolean
  /** Its classes of service are those of OpenAI. */
  readonly hasServices: boolean
  /** How many stop sequences it takes; null: as many as one likes. */
  readonly mostStops: number | null
  /** It fetches documents by their address. */
  readonly fetchesDocuments: boolean
  /** Fields that it refuses or does not know. */
  readonly lacks: readonly string[]
  /** The only fields that it takes: it refuses any other. Absent: all but those that it lacks. */
  readonly takes?: readonly string[]
  /** Fields of messages that it refuses. */
  readonly lacksInMessages: readonly string[]
  /** The only words for `reasoning_effort` that it takes: not to think, and to think. Absent: any. */
  readonly efforts?: readonly [string, string]
  /** Ids of calls have nine letters and digits. */
  readonly hasShortCallIds: boolean
}

/** A route that counts the tokens of a request before it is answered. */
export type CountRoute = {
  /** The dialect in which it takes the request. */
  readonly dialect: DialectName
  /** Below the base URL; `/..` leads out of it, and `{model}` is the model. */
  readonly path: string
  /** The only fields of the request that it takes; absent: any. */
  readonly takes?: readonly string[]
  /** The field that the request is put into, with the full name of its model; absent: it is the body. */
  readonly within?: string
  /** Where in the answer the number is. */
  readonly answer: readonly string[]
}

/** One provider, or kind of engine. */
export type ProviderRow = {
  /** Where the provider says so, looked up in 2026-11. */
  readonly sources: readonly string[]
  /** URL up to and including the version; null: there is no usual one, or none is needed. */
  readonly baseUrl: string | null
  /** What such a URL looks like, where there is no usual one. */
  readonly example?: string
  readonly key: KeyForm
  /** The dialects that it speaks, the one that it is asked for its models in first. */
  readonly dialects: Readonly<Partial<Record<DialectName, Grade>>>
  /** Dialects that it has, too, but is not spoken to in unless the operator says so, and why not. */
  readonly others?: Readonly<Partial<Record<DialectName, string>>>
  /** What it speaks where the base URL ends so, with an example of such a URL. */
  readonly elsewhere?: {
    readonly ends: RegExp
    readonly example: string
    readonly dialects: Readonly<Partial<Record<DialectName, Grade>>>
  }
  /** Which others it speaks depends on its version. */
  readonly isEngine?: boolean
  /**
   * With which of its models it is asked which others it speaks; absent: with none, for a question would make it load
   * one.
   */
  readonly probed?: 'any model' | 'only model'
  /**
   * How it counts the tokens of a request. as spoken: in every dialect that it speaks. where native: in those whose
   * bytes pass, as far as Gate knows. Absent: it does not.
   */
  readonly counts?: CountRoute | 'as spoken' | 'where native'
  /** A list of its models that says more than the usual one, which is asked for where there is none. */
  readonly models?: {
    /** Below the base URL; `/..` leads out of it. */
    readonly path: string
    /** The field of the answer that is the list. */
    readonly list: string
    /** The field of an entry that is the id of the model. */
    readonly id: string
  }
  /** It takes `models` and `provider`, by which clients of Gate choose among targets, for its own. */
  readonly routes?: boolean
  /** It keeps no responses, refuses a request that asks for it, and has no route that compacts a conversation. */
  readonly isStateless?: boolean
  /** Its responses refuse what they do not know, and miss what OpenAI's have. */
  readonly isStrict?: boolean
  /**
   * The dialects in which it goes on with an answer that the request ends with, and the fields that it needs for that.
   * Others begin a new one.
   */
  readonly continues?: Readonly<Partial<Record<DialectName, object>>>
  /** Arguments of tools that it sends are JSON: it sees to that itself. */
  readonly hasSoundCalls?: boolean
  readonly chat: ChatQuirks
}
