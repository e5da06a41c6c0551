import type { Provider } from '../../schemas/words/providers.ts'
import type { Call } from './call.ts'
import type { JsonRecord } from './json-value.ts'
import type { Usage } from './neutral.ts'

/** What a thing has used, such as the requests of a batch. `model`: the upstream's name; empty where it is not said. */
export type BatchUsage = {
  readonly model: string
  readonly usage: Usage
  /** It was not said, and is about right. */
  readonly isEstimated?: boolean
  /** It costs what any other request does; absent: the share that batches cost. */
  readonly isPaidInFull?: true
}

/**
 * What one request of a batch asks for. `mostTokens`: the longest answer that it wants; null: it does not say.
 * `isPaidInFull`: it costs what any other request does; absent: the share that batches cost.
 */
export type BatchRequest = {
  readonly model: string
  readonly bytes: number
  readonly mostTokens: number | null
  readonly isPaidInFull?: true
}

/**
 * How far a batch is, or what else is paid for. `void`: nothing of it was used; `answered`: the share of its requests,
 * from 0 to 1.
 */
export type BatchState =
  | { readonly kind: 'running' }
  | { readonly kind: 'void' }
  | { readonly kind: 'over'; readonly answered: number }

type Headers = Readonly<Record<string, string | string[] | undefined>>

/** What there is to know of things that an upstream keeps; each has an id, which means nothing to another upstream. */
export type ObjectForm = {
  /** Whose API it is: where several upstreams could be meant, one of this provider is. */
  readonly provider: Provider
  /** Keys of a body that decide something here. */
  readonly deciding: ReadonlySet<string>
  /** Parameters of the query that are passed on. */
  readonly queries: readonly string[]
  /** The id of what a request is about, by its path and query; empty: of nothing that is there. */
  readonly idFor: (call: Call) => string
  /** The id of a thing that was answered; null: it has none. */
  readonly idOf: (thing: JsonRecord) => string | null
  /** The things of a page of a list. */
  readonly itemsIn: (page: JsonRecord) => readonly JsonRecord[]
  /** The same page with these things alone. @param hasMore whether it is worth asking for the next one */
  readonly withItems: (page: JsonRecord, items: readonly JsonRecord[], hasMore: boolean) => JsonRecord
  /** A list of nothing. */
  readonly nothing: JsonRecord
  /** Headers of a client that are passed on with these requests alone, in lower case. */
  readonly requestHeaders?: readonly string[]
  /**
   * An upload that the answer's headers begin, and the headers that send its pieces to Gate; null: none has begun.
   * @param origin of Gate, as its client knows it
   */
  readonly begun?: (
    call: Call,
    headers: Headers,
    origin: string,
  ) => { readonly id: string | null; readonly headers: Headers } | null
  /** Whether the upload that a piece belongs to is over. */
  readonly endsUpload?: (call: Call, headers: Headers) => boolean
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
  /**
   * The paths of a batch and, where it does not say itself what it has used, of its results, below a base URL.
   * @param thing the batch, once it was seen
   */
  readonly pathsOf: (id: string, thing?: JsonRecord) => { readonly batch: string; readonly results: string | null }
  /** The requests of a batch, by the body that makes it; absent: they are in a file. */
  readonly requestsIn?: (body: JsonRecord, model: string | null) => readonly BatchRequest[]
  /** How requests of a batch are found in an upload; absent: they are in no file. */
  readonly requests?: {
    /** The key that each line has. */
    readonly key: string
    /** A request, by a line; null: it is none. Its model is empty where the batch has one for all. */
    readonly requestOf: (line: JsonRecord, bytes: number) => BatchRequest | null
    /** Whether a file comes in one piece. */
    readonly isWhole: (call: Call) => boolean
  }
  /** The model that the path of a request names; absent: none does. */
  readonly modelIn?: (call: Call) => string | null
  /** Where a file is below a base URL, and how long the answer says that it is, in bytes; absent: there are none. */
  readonly fileAt?: { readonly path: (id: string) => string; readonly bytesIn: (file: JsonRecord) => number | null }
  /** The same body with other models; absent: it names none. */
  readonly withModels?: (body: JsonRecord, modelOf: (model: string) => string) => JsonRecord
}
