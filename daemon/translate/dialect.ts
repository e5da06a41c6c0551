import type { GateError } from '../../schemas/words/errors.ts'
import type { Modality, ModelFacts } from '../../schemas/words/model-facts.ts'
import type { Call, Endpoint, ModelEntry, ModelRequest, UpstreamBody, UpstreamSide } from './call.ts'
import type { DialectProbe } from './dialect-probe.ts'
import type { EmbedForm } from './embed-form.ts'
import type { EngineCount } from './engine-count.ts'
import type { JsonRecord } from './json-value.ts'
import type { KeptForm } from './kept-form.ts'
import type { Usage } from './neutral.ts'
import type { NeutralForm } from './neutral-form.ts'
import type { ObjectForm } from './object-form.ts'
import type { RateHeaders } from './rate-headers.ts'
import type { StreamWatch } from './stream-watch.ts'

/**
 * `sign` is what a body has that holds such a thing: a text that looks so has its quotes escaped. `word` is a part of it
 * that begins with a letter: where that is not in the body, `sign` is not looked for.
 */
type MediaSigns = Readonly<Partial<Record<Modality, { readonly word: string; readonly sign: RegExp }>>>

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
  /** Routes of its API that are not here, and why, for clients that use them all the same. */
  readonly absent?: readonly { readonly paths: RegExp; readonly why: string }[]
  /**
   * Reads what the gateway needs of a request to generate something.
   * @throws GateError INVALID_JSON, BAD_REQUEST, FORBIDDEN_FIELD
   */
  readonly readRequest: (call: Call) => ModelRequest
  /** How a body shows that it holds something besides text, by what that is. */
  readonly media: MediaSigns
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

  /** How clients are told what is left of their rates; absent: they are not. */
  readonly rateHeaders?: RateHeaders
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
  /** How engines count the tokens of a request; absent: they do not in this dialect. */
  readonly engineCount?: EngineCount
  /** Whether upstreams that speak it have the route of a request; absent: they have all. */
  readonly hasRoute?: (call: Call, provider: string) => boolean
  /** The message of the error in a whole answer whose status says success; null: it holds none. */
  readonly failureOf: (answer: Buffer) => string | null
  /** A whole answer as the stream that it would have been; absent: it is written anew. */
  readonly replay?: (answer: Buffer) => string
  /** How many seconds an error asks to wait, in its body; null when it does not say. */
  readonly retryAfterIn?: (error: Buffer) => number | null
  /** How a client learns of a failure as a status; sent as JSON. @param requestId null: there was no request */
  readonly errorBody: (error: GateError, requestId: string | null) => object
  /** How it learns of it in a stream that has begun. @param isFirst nothing else was said in it */
  readonly errorFrame: (error: GateError, isFirst: boolean, requestId: string) => string
  /** Where its clients look for the id of a request besides `x-request-id`; absent: nowhere. */
  readonly requestIdIn?: {
    /** Of every answer, in lower case. */
    readonly header: string
    /** An error of an upstream that may lack it. */
    readonly error: (body: Buffer, requestId: string) => Buffer
  }
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
