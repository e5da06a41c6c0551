import type { ModelFacts } from '../../schemas/words/model-facts.ts'
import type { Scope } from '../../schemas/words/scopes.ts'
import type { JsonOutline } from '../../syntax/json/outline.ts'

/**
 * One endpoint of a dialect. `path` may hold one `{name}`, which matches any text except the empty one; ids of models
 * have slashes, so the text may, too. Where several rows fit, the longest path counts.
 */
export type Endpoint = {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  /** What a key must be allowed to do. */
  readonly scope: Scope
  readonly does: 'generate' | 'embed' | 'count-tokens' | 'list-models' | 'show-model' | 'say' | 'kept' | 'object'
  /** What `object` does with something that an upstream keeps. `change` says how it is afterwards. */
  readonly object?: 'create' | 'list' | 'show' | 'change' | 'remove' | 'content'
  /** Models are named in a file that was uploaded before, which is not read here. */
  readonly hasModelsInFile?: true
  /** What `object` makes is paid for by tokens. */
  readonly isPaidFor?: true
  /** What `object` is about, in place of a model in the usage log. */
  readonly about?: string
  /** What `say` answers, sent as JSON. */
  readonly says?: object
  /** The model of a request that names none, as its API has it. */
  readonly usualModel?: string
  /** Its clients leave the type of their JSON to curl, which calls it a form. */
  readonly mayCallJsonForm?: true
  /** multipart/form-data in place of JSON, or bytes of any kind. */
  readonly takes?: 'form' | 'bytes'
  /** What is in front of the version in its path, at an upstream as well. */
  readonly before?: string
  /** Only requests with this header come in here; it tells dialects apart that share a path. */
  readonly withHeader?: string
  /** The same for a part of the query, such as `alt=sse`. */
  readonly withQuery?: string
}

/** What has made an answer: an upstream, and the id its model has there. */
export type Served = { readonly upstream: string; readonly model: string }

/** A request as a client sent it. `body` is empty where the endpoint takes none. */
export type Call = {
  readonly endpoint: Endpoint
  /** What the client put in place of `{name}`, percent-decoded; empty where the path has none. */
  readonly param: string
  /** Path and query. */
  readonly url: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
  /** The body as the client sent it, where `body` was completed with what is kept of earlier answers. */
  readonly asked?: Buffer
  /** Fields of the client that `body`, which was written for it, does not express; absent: none. */
  readonly lost?: readonly string[]
  /** What made the answer that this request goes on from, as it was kept; absent: nothing, or it is not known. */
  readonly servedBy?: Served
  /** What a JSON body looks like, which was found out as it came; absent: to be found out. */
  readonly outline?: JsonOutline
}

/**
 * What the gateway needs to know of a request; the rest passes through unread. `stream`: a stream was asked for.
 * `choices`: how many answers at once, when more than one. `cacheKey`: requests with the same one share a prompt.
 */
export type ModelRequest = {
  readonly model: string
  readonly stream: boolean
  readonly choices?: number
  /** The longest answer that is asked for, in tokens; absent: it is not said. */
  readonly mostTokens?: number
  readonly cacheKey?: string
  readonly routing?: Routing
  /** The answer to a request that asks nothing of the model, sent as JSON. @param nowS Unix seconds */
  readonly says?: (nowS: number) => object
}

/** Where a request says that it wants to go, as `Wanted` of route/ has it. */
export type Routing = {
  readonly models: readonly string[]
  readonly order: readonly string[]
  readonly only: readonly string[] | null
  readonly ignore: readonly string[]
  readonly strategy: 'latency' | 'cost' | null
  readonly isAcrossModels: boolean
  readonly maxPrice: { readonly input: number; readonly output: number } | null
  readonly promises: readonly string[]
  readonly isAlone: boolean
  /** `provider` as it was sent; null: it was not. */
  readonly provider: Readonly<Record<string, unknown>> | null
  /** No target may leave out a field of the request. */
  readonly needsAll: boolean
  /** Names of what it says in vain. */
  readonly ignored: readonly string[]
}

/** How the upstream of a request knows the model, and what is known of itself. */
export type UpstreamSide = {
  readonly model: string
  readonly provider: string
  /** What is known of the model; absent: nothing, or it is not needed. */
  readonly facts?: ModelFacts
}

/**
 * `hidesUsage`: the upstream was asked for a report of usage that the client did not ask for. `dropped`: fields that it
 * does not take.
 */
export type UpstreamBody = {
  readonly body: Buffer
  readonly hidesUsage: boolean
  readonly dropped?: readonly string[]
}

/** A model as clients may ask for it. */
export type ModelEntry = { readonly id: string; readonly ownedBy: string; readonly facts?: ModelFacts }
