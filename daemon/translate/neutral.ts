import type { GateError } from '../../schemas/words/errors.ts'
import type { Citation } from './citation.ts'
import type { TokenLogprobs } from './token-logprobs.ts'

// What all dialects have in common. A dialect reads what arrives into this form and writes what leaves from it, so each
// knows this form and no other dialect.

/** Tokens that an upstream reports for one answer. */
export type Usage = {
  /** All of the prompt, also the part that came from a cache. */
  readonly inputTokens: number
  readonly outputTokens: number
  /** Part of the input that came from a cache. */
  readonly cachedTokens: number
  /** Part of the output that is reasoning. */
  readonly reasoningTokens: number
  /** Part of the input that was put into a cache; left out where no cache reports it. */
  readonly cacheWriteTokens?: number
  /** Part of `cacheWriteTokens` that is kept for an hour or longer. */
  readonly longCacheWriteTokens?: number
  /** Part of the input that is sound, where it is said. */
  readonly audioTokens?: number
  /** The class of service that answered, where it is said: prices differ. */
  readonly service?: string
}

/** Base64, an address, or the id of a file that the provider keeps. */
export type MediaSource =
  | { readonly kind: 'base64'; readonly mediaType: string; readonly base64: string }
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'file'; readonly id: string }

/** Where a client wants a prompt cache to end: behind this part. `isLong`: it is to be kept for an hour or longer. */
type CacheMark = { readonly isLong: boolean }

/** `logprobs`: of an answer whose tokens' likelihoods were asked for. */
export type TextPart = {
  readonly kind: 'text'
  readonly text: string
  readonly logprobs?: TokenLogprobs
  /** Of an answer. */
  readonly citations?: readonly Citation[]
  readonly cacheMark?: CacheMark
}
export type MediaPart = {
  readonly kind: 'media'
  readonly form: 'image' | 'document' | 'audio'
  readonly source: MediaSource
  /** Of a document; null when it has none. */
  readonly name: string | null
  /** How closely an image is to be looked at, as OpenAI has it: `low`, `high` …; left out: as the model likes. */
  readonly detail?: string
  readonly cacheMark?: CacheMark
}
/**
 * What the model thought. `signature` comes back to it unchanged; null: there is none. `signedBy`: the one
 * provider that takes it, by its dialect or its name; left out: Anthropic, or it is not known. Google signs the thought behind a call.
 */
export type ReasoningPart = {
  readonly kind: 'reasoning'
  readonly text: string
  readonly signature: string | null
  readonly signedBy?: string | undefined
}
/** The same, readable by its provider only. */
export type RedactedPart = { readonly kind: 'redacted'; readonly sealed: string }
/** `json` is to be an object; in an answer it is what the model wrote. */
export type CallPart = { readonly kind: 'call'; readonly id: string; readonly name: string; readonly json: string }
export type ResultPart = {
  readonly kind: 'result'
  /** Of the call. */
  readonly id: string
  readonly parts: readonly (TextPart | MediaPart)[]
  readonly isError: boolean
}
/** Said in place of an answer. */
type RefusalPart = { readonly kind: 'refusal'; readonly text: string }

export type NeutralPart = TextPart | MediaPart | ReasoningPart | RedactedPart | CallPart | ResultPart | RefusalPart
export type AnswerPart = TextPart | ReasoningPart | RedactedPart | CallPart | RefusalPart

export type NeutralMessage = { readonly role: 'system' | 'user' | 'assistant'; readonly parts: readonly NeutralPart[] }

/** `schema` is a JSON Schema of the arguments. `isStrict`: they must follow it; null: not said. */
export type NeutralTool = {
  readonly name: string
  readonly description: string | null
  readonly schema: unknown
  readonly isStrict: boolean | null
  /**
   * The tool takes a text instead of JSON: of this format, as OpenAI describes it. In the neutral form its arguments are
   * an object whose one key `input` is that text, and `schema` says so (`freeform.ts`).
   */
  readonly freeform?: { readonly format: unknown; readonly description: string | null }
}

/** Classes of service besides the usual one that more than one provider has. */
export const SERVICES = ['flex', 'priority'] as const
export type Service = (typeof SERVICES)[number]

export const EFFORTS = ['minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const
export type Effort = (typeof EFFORTS)[number]

/** A request; null stands for what is left to the upstream. */
export type NeutralRequest = {
  readonly stream: boolean
  /** Those of role `system` that come first are the instructions. */
  readonly messages: readonly NeutralMessage[]
  readonly tools: readonly NeutralTool[]
  readonly toolChoice: 'auto' | 'none' | 'any' | { readonly name: string } | null
  readonly parallelCalls: boolean | null
  readonly maxOutputTokens: number | null
  readonly temperature: number | null
  readonly topP: number | null
  readonly topK: number | null
  readonly stop: readonly string[]
  readonly seed: number | null
  readonly frequencyPenalty: number | null
  readonly presencePenalty: number | null
  readonly answerForm:
    | { readonly kind: 'json' }
    | {
        readonly kind: 'schema'
        readonly name: string | null
        readonly description?: string
        readonly schema: unknown
        readonly isStrict: boolean | null
      }
    | null
  /** `isShown`: whether the client wants to see it; left out: when it is on. */
  readonly thinking: {
    readonly isOn: boolean
    readonly budgetTokens: number | null
    readonly isShown?: boolean
  } | null
  /** The client wants to see what is thought, if anything is; it does not say whether to think. */
  readonly asksForThoughts?: true
  readonly effort: Effort | null
  readonly endUser: string | null
  /** Left out: the usual one. */
  readonly service?: Service
  /** How many words an answer has, as OpenAI says it. */
  readonly verbosity?: string
  /** By which OpenAI finds what its cache holds; others are not told, and sessions are kept together by Gate. */
  readonly cacheKey?: string
  /** What the client of chat completions notes about the request. */
  readonly metadata?: object
  /** Likelihoods of tokens are asked for, each with so many others in its place. */
  readonly logprobs?: { readonly top: number }
  /** The client wants a report of usage in a stream. */
  readonly showsUsage: boolean
  /** What is asked for besides, by dialects that have it. */
  readonly features: ReadonlySet<Feature>
  /** Fields that no other dialect has, as the client named them. */
  readonly ownFields: readonly string[]
}

/**
 * What some dialect cannot express. Each dialect says of each what becomes of it (`Rules`), and how a client of it
 * names it.
 */
export const FEATURES = [
  'answer limit',
  'temperature',
  'top p',
  'top k',
  'stop sequences',
  'seed',
  'penalties',
  'logit bias',
  'log probabilities',
  'several answers',
  'audio answers',
  'image answers',
  'JSON answers',
  'answer schema',
  'strict tools',
  'freeform tools',
  'tool namespaces',
  'server tools',
  'parallel calls',
  'forced calls',
  'forbidden calls',
  'effort',
  'thinking',
  'no thinking',
  'thinking budget',
  'earlier thinking',
  "Google's thinking",
  "OpenAI's thinking",
  "OpenRouter's thinking",
  'unsigned thinking',
  'sealed thinking',
  'image',
  'image by URL',
  'image detail',
  'document',
  'document by URL',
  'audio',
  'audio by URL',
  'video',
  'search result',
  'kept file',
  'media in a tool result',
  'media in instructions',
  'media of the model',
  'failed tool result',
  'later instructions',
  'cache marks',
  'citations',
  'end user',
  'service tier',
  'verbosity',
  'metadata',
] as const
export type Feature = (typeof FEATURES)[number]

/** Why an answer ended. */
export type Finish = 'end' | 'length' | 'stop-sequence' | 'calls' | 'refused' | 'paused'

export type NeutralAnswer = {
  readonly id: string
  readonly model: string
  readonly parts: readonly AnswerPart[]
  readonly finish: Finish
  /** The sequence that ended it, where that is known. */
  readonly stopSequence: string | null
  readonly usage: Usage | null
}

/** A part of a streamed answer as it begins. */
export type PartStart =
  | { readonly kind: 'text' | 'reasoning' | 'refusal' }
  | RedactedPart
  | { readonly kind: 'call'; readonly id: string; readonly name: string }

/** One step of a streamed answer. Parts come one after the other; `more` belongs to the one that is open. */
export type NeutralEvent =
  | { readonly kind: 'begin'; readonly id: string; readonly model: string; readonly usage: Usage | null }
  | { readonly kind: 'part'; readonly part: PartStart }
  | { readonly kind: 'more'; readonly text: string; readonly logprobs?: TokenLogprobs }
  | { readonly kind: 'signature'; readonly signature: string; readonly signedBy?: string | undefined }
  /** Of the text that is open. */
  | { readonly kind: 'citation'; readonly citation: Citation }
  | { readonly kind: 'part-end' }
  | {
      readonly kind: 'end'
      readonly finish: Finish
      readonly stopSequence: string | null
      readonly usage: Usage | null
    }
  | {
      readonly kind: 'error'
      readonly message: string
      /** What the log may hold of it; absent: all. */
      readonly logged?: string
    }

/** The last step as clients are told it: usage that was not reported is counted. */
export type EndEvent = Extract<NeutralEvent, { readonly kind: 'end' }> & { readonly usage: Usage }
/** The steps that are written to a client. */
export type WrittenEvent =
  | Exclude<NeutralEvent, { readonly kind: 'begin' | 'end' | 'error' }>
  | (Extract<NeutralEvent, { readonly kind: 'begin' }> & { readonly usage: Usage })
  | EndEvent
  | { readonly kind: 'error'; readonly error: GateError }
