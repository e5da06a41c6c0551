import type { Provider } from '../../schemas/words/providers.ts'
import type { JsonRecord } from './json-value.ts'
import type { Usage } from './neutral.ts'

/** What requests of a batch have used together. `model`: the upstream's name; empty where it is not said. */
export type BatchUsage = { readonly model: string; readonly usage: Usage }

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
  /** The same body with other models; absent: it names none. */
  readonly withModels?: (body: JsonRecord, modelOf: (model: string) => string) => JsonRecord
}
