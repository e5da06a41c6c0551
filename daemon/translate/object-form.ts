import type { Provider } from '../../schemas/words/providers.ts'
import type { JsonRecord } from './json-value.ts'
import type { Usage } from './neutral.ts'

/** What requests of a batch have used together. `model`: the upstream's name; empty where it is not said. */
export type BatchUsage = {
  readonly model: string
  readonly usage: Usage
  /** It was not said, and is about right. */
  readonly isEstimated?: boolean
}

/** What one request of a batch asks for. `mostTokens`: the longest answer that it wants; null: it does not say. */
export type BatchRequest = { readonly model: string; readonly bytes: number; readonly mostTokens: number | null }

/** How far a batch is. `void`: nothing of it was used; `answered`: the share of its requests, from 0 to 1. */
export type BatchState =
  | { readonly kind: 'running' }
  | { readonly kind: 'void' }
  | { readonly kind: 'over'; readonly answered: number }

/** What there is to know of things that an upstream keeps; each has an id, which means nothing to another upstream. */
export type ObjectForm = {
  /** Whose API it is: where several upstreams could be meant, one of this provider is. */
  readonly provider: Provider
  /** Keys of a body that decide something here. */
  readonly deciding: ReadonlySet<string>
  /** Parameters of the query that are passed on. */
  readonly queries: readonly string[]
  /** The id of what a request refers to, by its body; null: nothing. */
  readonly refersTo: (body: JsonRecord) => string | null
  /** The ids of a thing that was answered, and of what came with it. */
  readonly idsIn: (thing: JsonRecord) => readonly string[]
  /** The thing as clients are shown it. */
  readonly shown: (thing: JsonRecord) => JsonRecord
  /** What asks for the page after this one, name and value; null: it is the last. */
  readonly nextPage: (page: JsonRecord) => readonly [string, string] | null
  /** What a thing has used, if it is a batch that is over and says so; absent: none says it. */
  readonly usedBy?: (thing: JsonRecord) => BatchUsage | null
  /** What one request of a batch has used, by a line of its results; absent: the batch itself says it. */
  readonly usedIn?: (line: JsonRecord) => BatchUsage | null
  /** How far a thing is, if it is a batch; null: it is none. */
  readonly stateOf: (thing: JsonRecord) => BatchState | null
  /** The paths of a batch and, where it does not say itself what it has used, of its results, below a base URL. */
  readonly pathsOf: (id: string) => { readonly batch: string; readonly results: string | null }
  /** The requests of a batch, by the body that makes it; absent: they are in a file. */
  readonly requestsIn?: (body: JsonRecord) => readonly BatchRequest[]
  /** A request of a batch, by a line of its file; null: it is none; absent: they are in no file. */
  readonly requestOf?: (line: JsonRecord, bytes: number) => BatchRequest | null
  /** Where a file is below a base URL, and how long the answer says that it is, in bytes; absent: there are none. */
  readonly fileAt?: { readonly path: (id: string) => string; readonly bytesIn: (file: JsonRecord) => number | null }
  /** The same body with other models; absent: it names none. */
  readonly withModels?: (body: JsonRecord, modelOf: (model: string) => string) => JsonRecord
}
