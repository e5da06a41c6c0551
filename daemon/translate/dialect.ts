import type { GateError } from '../../schemas/words/errors.ts'
import type { Modality, ModelFacts } from '../../schemas/words/model-facts.ts'
import type { Provider } from '../../schemas/words/providers.ts'
import type { Scope } from '../../schemas/words/scopes.ts'
import type { JsonOutline } from '../../syntax/json/outline.ts'
import type { EmbedForm } from './embed-form.ts'
import type { FeatureTable } from './features.ts'
import type { JsonRecord } from './json-value.ts'
import type { NeutralAnswer, NeutralEvent, NeutralRequest, Usage, WrittenEvent } from './neutral.ts'
import type { RecordedAnswer, RecordedForm, RecordFacts } from './recorded-form.ts'

/**
 * One way of speaking to models over HTTP: everything the gateway has to know of it, as plain functions. A dialect is
 * one folder that holds one value of this type, and `dialects.ts` lists it; no other file holds a word of it.
 *
 * A client and an upstream of the same dialect pass bytes to each other: of a request only the model changes, an answer
 * is only watched. Across dialects `neutral` is what they have in common.
 */
export type Dialect = {
  /** The name of its folder, for messages to operators. */
  readonly name: string

  // requests

  /** The endpoints that clients use. No two rows of all dialects may be the same. */
  readonly endpoints: readonly Endpoint[]
  /**
   * Reads what the gateway needs of a request to generate something.
   * @throws GateError INVALID_JSON, BAD_REQUEST, FORBIDDEN_FIELD
   */
  readonly readRequest: (call: Call) => ModelRequest
  /** How a body shows that it holds something besides text, by what that is. A text that looks so has its quotes escaped. */
  readonly media: Readonly<Partial<Record<Modality, RegExp>>>
  /** The body for one upstream; every byte stays that need not change for it. */
  readonly bodyFor: (call: Call, asked: ModelRequest, upstream: UpstreamSide) => UpstreamBody
  /** The same with a text in front of its instructions; absent: it has no place for them. */
  readonly withInstructions?: (request: JsonRecord, text: string) => JsonRecord
  /** Path and query of the request to an upstream, below its base URL. */
  readonly upstreamPath: (call: Call, model: string, stream: boolean) => string
  /** Headers of a client that are passed to an upstream besides the ones of every dialect, in lower case. */
  readonly requestHeaders: readonly string[]
  /** Headers that every request to an upstream has, names and values; a client's own of the same name is passed on. */
  readonly fixedHeaders: Readonly<Record<string, string>>
  /** The header in which an upstream expects its key, name and value. */
  readonly keyHeader: (key: string) => readonly [string, string]

  // answers

  /** How headers begin that are about the account of the operator at an upstream, which is no client's business. */
  readonly hiddenHeaders: string | null

  /** The media type of a streamed answer, without parameters. */
  readonly streamType: string
  /** Whether an answer is a stream, by its first bytes and its type; null: these bytes tell nothing yet. */
  readonly looksLikeStream: (start: Uint8Array, isCalledStream: boolean) => boolean | null
  /**
   * Reads one stream on its way from an upstream to a client.
   * @param hidesUsage the client did not ask for a report of usage
   * @param choices how many answers at once were asked for
   */
  readonly watch: (hidesUsage?: boolean, choices?: number) => StreamWatch
  /** The usage that a complete answer reports; null when it reports none. */
  readonly usageOf: (answer: Buffer) => Usage | null
  /**
   * About how many tokens a request is, for an upstream that does not report it; bounded in time, whatever the body.
   */
  readonly estimateInput: (call: Call) => number
  /** The same of a whole answer. */
  readonly estimateOutput: (answer: Buffer) => number
  /** The same as a tokenizer would count, within a tenth; only of a dialect with an endpoint that counts. */
  readonly countInput?: (call: Call) => number
  /** What says how many tokens a request is, sent as JSON; only of a dialect with an endpoint that counts. */
  readonly countBody?: (inputTokens: number) => object
  /** Where engines count the tokens of a request, below their base URL; they answer with `input_tokens`. */
  readonly countPath?: string
  /** The message of an error that a whole answer is, although its status says success; null when it is none. */
  readonly failureOf: (answer: Buffer) => string | null
  /** A whole answer as the stream that it would have been; absent: it is written anew. */
  readonly replay?: (answer: Buffer) => string
  /** How many seconds an error asks to wait, in its body; null when it does not say. */
  readonly retryAfterIn?: (error: Buffer) => number | null
  /** How a client learns of a failure as a status; sent as JSON. */
  readonly errorBody: (error: GateError) => object
  /** How it learns of it in a stream that has begun. @param isFirst nothing else was said in it */
  readonly errorFrame: (error: GateError, isFirst: boolean) => string
  /** What may be put between two frames to show that the connection lives; null where clients take nothing. */
  readonly ping: string | null

  // model lists

  /**
   * The version that base URLs of upstreams end with, and that people leave out, such as `/v1`; null: there is none.
   */
  readonly version: string | null
  /** Where an upstream lists its models, below its base URL. */
  readonly modelsPath: string
  /** Reads that list. @returns ids @throws Error when it has another shape */
  readonly readModels: (list: unknown) => readonly string[]
  /** What that list says of the models, by id; absent: it says nothing. @param list one that `readModels` took */
  readonly readFacts?: (list: unknown) => ReadonlyMap<string, ModelFacts>
  /** The list that clients get, sent as JSON. */
  readonly listModels: (models: readonly ModelEntry[], call: Call) => object
  /** One model that clients get, sent as JSON. */
  readonly showModel: (model: ModelEntry, call: Call) => object

  /** What upstreams keep for clients, such as files. */
  readonly objects?: ObjectForm
  /**
   * The ids of files that a request names, however they are spelled; absent: it names none.
   * @throws GateError INVALID_JSON
   */
  readonly filesIn?: (call: Call) => readonly string[]

  /** What is kept of answers, where clients may ask for them again. */
  readonly kept?: KeptForm

  /** Its form of vectors of texts, for endpoints that `embed`; absent: it has none. */
  readonly embeddings?: EmbedForm<Call>

  /** Translation to and from the other dialects; without it, requests go to upstreams of this dialect only. */
  readonly neutral?: NeutralForm

  /** How an engine is asked whether it speaks this dialect; absent: that is known of each provider. */
  readonly probe?: DialectProbe
}

/**
 * One endpoint of a dialect. `path` may hold one `{name}`, which matches any text except the empty one; ids of models
 * have slashes, so the text may, too. Where several rows fit, the longest path counts.
 */
export type Endpoint = {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  /** What a key must be allowed to do. */
  readonly scope: Scope
  readonly does: 'generate' | 'embed' | 'count-tokens' | 'list-models' | 'show-model' | 'say' | 'kept' | 'object'
  /** What `object` does with something that an upstream keeps. `change` says how it is afterwards. */
  readonly object?: 'create' | 'list' | 'show' | 'change' | 'remove' | 'content'
  /** Models are named in a file that was uploaded before, which is not read here. */
  readonly hasModelsInFile?: true
  /** What `object` is about, in place of a model in the usage log. */
  readonly about?: string
  /** What `say` answers, sent as JSON. */
  readonly says?: object
  /** multipart/form-data in place of JSON. */
  readonly takes?: 'form'
  /** Only requests with this header come in here; it tells dialects apart that share a path. */
  readonly withHeader?: string
  /** The same for a part of the query, such as `alt=sse`. */
  readonly withQuery?: string
}

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
  readonly cacheKey?: string
  readonly routing?: Routing
}

/** Where a request says that it wants to go, as `Wanted` of route/ has it. */
export type Routing = {
  readonly models: readonly string[]
  readonly order: readonly string[]
  readonly only: readonly string[] | null
  readonly ignore: readonly string[]
  readonly strategy: 'latency' | 'cost' | null
  readonly isAlone: boolean
}

/** How the upstream of a request knows the model, and what is known of itself. */
export type UpstreamSide = { readonly model: string; readonly provider: string }

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

/** What a client is told besides the answer itself. */
export type Told = {
  /** How the upstream knows the model, for an answer that does not say it. */
  readonly model: string
  readonly requestId: string
  /** The client's own request. */
  readonly call: Call
  /** Unix seconds. */
  readonly nowS: number
  readonly showsUsage: boolean
  readonly showsThinking: boolean
  /** Since the request came. */
  readonly elapsedNs: () => number
}

/** The answers that are kept for one key, by their ids. @throws GateError STORE_UNAVAILABLE */
export type KeptAnswers = {
  /** Whether any are. */
  readonly isKeeping: () => boolean
  /** One that is being made, or was until just now; null: none is. */
  readonly recorded: (id: string) => RecordedAnswer | null
  readonly find: (id: string) => JsonRecord | null
  readonly keep: (id: string, record: JsonRecord) => void
  /** @returns whether there was one */
  readonly remove: (id: string) => boolean
}

export type KeptForm = {
  /**
   * Completes a request with the answers that it refers to. @throws GateError BAD_REQUEST, RESPONSE_NOT_FOUND
   */
  readonly complete: (call: Call, kept: KeptAnswers) => Call
  /** Reads the answer that a client is shown, and keeps it; null: it is not to be kept. */
  readonly tap: (call: Call, kept: KeptAnswers) => AnswerTap | null
  /**
   * How an answer is recorded; null: it ends with its connection, as far as this dialect has a say.
   * @param mayResume clients may come back to streams of any kind
   */
  readonly record: (call: Call, kept: KeptAnswers, facts: RecordFacts, mayResume: boolean) => RecordedForm | null
  /**
   * The answer of an endpoint that is about kept answers.
   * @throws GateError RESPONSE_NOT_FOUND, BAD_REQUEST
   */
  readonly page: (call: Call, kept: KeptAnswers) => KeptPage
}

/** `json` is sent as such, `stream` is a whole one; `follow`: what comes after an offset of a recorded answer. */
export type KeptPage =
  | { readonly kind: 'json'; readonly value: object }
  | { readonly kind: 'stream'; readonly text: string }
  | { readonly kind: 'follow'; readonly id: string; readonly from: number }

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
  /** The same body with other models; absent: it names none. */
  readonly withModels?: (body: JsonRecord, modelOf: (model: string) => string) => JsonRecord
}

/** Is given all bytes of an answer before the client is. */
export type AnswerTap = { readonly feed: (chunk: Buffer) => void; readonly end: () => void }

/** What an engine is asked, and what is looked for in its answers. */
export type DialectProbe = {
  /** Below its base URL. */
  readonly path: string
  /** Whether the answer to an empty request is an error as this dialect has it. */
  readonly isOwnError: (answer: JsonRecord) => boolean
  /** Asks for a stream of text which is longer than it may be. */
  readonly text: (model: string, maxTokens: number) => object
  /** Asks for a stream with a call of the one tool there is. */
  readonly call: (model: string, maxTokens: number) => object
  /** What clients would miss in a stream. */
  readonly missing: (events: readonly SeenEvent[]) => readonly string[]
}

/** An event of a stream. `type`: what its `event:` line says; empty when it has none. */
export type SeenEvent = { readonly type: string; readonly data: JsonRecord }

/** A dialect's translation: what arrives is read into the neutral form, what leaves is written from it. */
export type NeutralForm = {
  /** What upstreams of a provider can express, and what becomes of the rest. */
  readonly features: (provider: string) => FeatureTable
  /** A client gets the arguments of a call as an object, not as pieces of JSON. */
  readonly hasWholeCalls?: true
  /** Characters of the longest name of a tool; absent: as many as one likes. */
  readonly longestToolName?: number
  /** @param call one that `readRequest` of the dialect took @throws GateError BAD_REQUEST */
  readonly readRequest: (call: Call) => NeutralRequest
  /** @returns what is sent as JSON */
  readonly writeRequest: (request: NeutralRequest, side: UpstreamSide) => object
  /** @throws Error when it has another shape */
  readonly readAnswer: (answer: Buffer, requestId: string) => NeutralAnswer
  readonly writeAnswer: (answer: NeutralAnswer & { readonly usage: Usage }, told: Told) => object
  /** @param requestId makes ids for what has none */
  readonly readEvents: (requestId: string) => EventReader
  /** @returns what writes one stream, event by event */
  readonly writeEvents: (told: Told) => (event: WrittenEvent) => string
}

/** Reads one stream, wherever its chunks are cut. After an event of kind `end` or `error` nothing else counts. */
export type EventReader = {
  readonly feed: (chunk: Buffer) => readonly NeutralEvent[]
  /** The stream has ended, and `isComplete`: what was not said yet. */
  readonly end: () => readonly NeutralEvent[]
  /** The answer is complete, whether or not the stream said so. */
  readonly isComplete: () => boolean
}

/** What a stream has shown so far, wherever its chunks were cut. */
export type StreamWatch = {
  /** Reads one more chunk. @returns what the client is shown: nearly always the chunk itself */
  feed(chunk: Buffer): Buffer
  /** What was not shown yet when the stream has ended. */
  rest(): Buffer
  /** Complete frames seen, without comments. */
  frames(): number
  /** Frames that carried a part of the answer, not the one that only ends it. */
  contentFrames(): number
  /** Something of the answer itself has come, or its end: from here on no other upstream can take over. */
  hasContent(): boolean
  usage(): Usage | null
  /** The stream said that nothing follows. */
  isDone(): boolean
  /** The answer is complete, whether or not the stream said so. */
  isComplete(): boolean
  /** The message of an error that came inside the stream, or null. */
  failure(): string | null
  /** Why the stream cannot be read on, or null; what cannot be read is not shown. Absent: anything can be. */
  garbage?(): string | null
  /** What was shown ends between two frames, so that one of Gate's own may follow. */
  atBoundary(): boolean
  /** How the client learns of a failure where that depends on what it was shown; absent: as it always does. */
  errorFrame?(error: GateError): string
}
