import type { UpstreamDialect } from '../upstreams/upstream.ts'

/** One question to a model, with all that it takes to answer it. */
export type Ask = {
  /** Of Gate, without a path. */
  readonly url: string
  readonly key: string
  readonly model: string
  readonly question: string
  readonly stream: boolean
  /** A PNG in base64. */
  readonly image?: string
  /** weather: the model may call `get_weather`; thinking: it also thinks; schema: the answer is JSON of SCHEMA. */
  readonly wants?: 'weather' | 'thinking' | 'schema'
  /** What is asked after that, of another model. */
  readonly then?: { readonly model: string; readonly question: string }
  readonly signal?: AbortSignal
  /** Is told each piece of text as it comes. */
  readonly hear?: (text: string) => void
}

/** What came of it, in the end. */
export type Answer = {
  /** The last that the model said. */
  readonly text: string
  /** All that it thought. */
  readonly thought: string
  /** The cities that it called `get_weather` for, in order. */
  readonly cities: readonly string[]
  /** Tokens of the last answer; null when the client has been told of none. */
  readonly usage: { readonly input: number; readonly output: number } | null
}

/** An official client, with the settings that people give it. */
export type Client = {
  readonly name: string
  readonly dialect: UpstreamDialect['name']
  /** A model of its vendor: some clients do different things for different models. */
  readonly family: 'gpt-5' | 'claude-sonnet-4-5' | 'gemini-3-pro' | 'qwen3'
  readonly ways?: Ways
  /** @throws Error, whatever the client has for that */
  readonly ask: (ask: Ask) => Promise<Answer>
}

/** What a client does in its own way, with any upstream, so that Gate can do nothing about it. */
export type Ways = {
  /** It shows nothing of what a model thinks. */
  readonly hidesThoughts?: true
  /** Where what the model thought before its calls does not come back with their results. */
  readonly forgets?: (upstream: UpstreamDialect['name'], stream: boolean) => boolean
  /** Its errors do not say when to ask again. */
  readonly hidesRetryAfter?: true
  /** What it says of a stream that fails, in place of the reason; null: it takes that for the end of the answer. */
  readonly ofFailedStream?: string | null
}

export const takesTools = (wants: Ask['wants']): boolean => wants === 'weather' || wants === 'thinking'

/** Of the arguments of `get_weather`. */
export const CITY = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
}
/** Of an answer that is JSON. */
export const SCHEMA = {
  type: 'object',
  properties: { degrees: { type: 'number' } },
  required: ['degrees'],
  additionalProperties: false,
}

/** The result of `get_weather`. */
export const WEATHER = 'it is 4 there'

// biome-ignore lint/suspicious/noExplicitAny: this package need not be installed for the others to be checked
export type Untyped = any

/** What a client says of a failure, wherever it has it. */
export type Failure = { readonly status: number | undefined; readonly retryAfter: string | null; readonly text: string }

export function failureOf(error: Untyped): Failure {
  const { headers, responseHeaders } = error
  const inBody = /"retryDelay":"(\d+)s"/.exec(String(error.message))?.[1]
  return {
    status: error.status ?? error.statusCode ?? error.status_code,
    retryAfter: headers?.get?.('retry-after') ?? responseHeaders?.['retry-after'] ?? inBody ?? null,
    text: `${error.message} ${JSON.stringify(error.error ?? error.responseBody ?? '')}`,
  }
}
