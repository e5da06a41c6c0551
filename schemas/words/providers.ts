import type { DialectName, Grade, Grades } from './dialects.ts'

/** How a key is sent. dialect: as the dialect has it. aws: as a bearer, or as signatures when it is a pair of AWS keys. */
export type KeyForm = 'bearer' | 'x-api-key' | 'api-key' | 'aws' | 'dialect'

/** How upstreams differ that all speak OpenAI's chat completions. */
export type ChatQuirks = {
  /** Whether it reports the usage of a stream when asked; `refused`: it does so unasked, and refuses unknown keys. */
  readonly usage: 'asked' | 'unknown' | 'refused'
  /** The field that limits the answer. */
  readonly limit: 'max_tokens' | 'max_completion_tokens'
  /** The field of a message in which it takes back what it thought; null: it does not. */
  readonly thinking: 'reasoning_content' | 'reasoning' | null
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
  /** How many stop sequences it takes; null: as many as one likes. */
  readonly mostStops: number | null
  /** It fetches documents by their address. */
  readonly fetchesDocuments: boolean
  /** Fields that it refuses or does not know. */
  readonly lacks: readonly string[]
  /** Ids of calls have nine letters and digits. */
  readonly hasShortCallIds: boolean
}

/** One provider, or kind of engine. */
export type ProviderRow = {
  /** URL up to and including the version; null: there is no usual one, or none is needed. */
  readonly baseUrl: string | null
  /** What such a URL looks like, where there is no usual one. */
  readonly example?: string
  readonly key: KeyForm
  /** The dialects that it speaks, the one that it is asked for its models in first. */
  readonly dialects: Readonly<Partial<Record<DialectName, Grade>>>
  /** Which others it speaks depends on its version. */
  readonly isEngine?: boolean
  /**
   * With which of its models it is asked which others it speaks; absent: with none, for a question would make it load
   * one.
   */
  readonly probed?: 'any model' | 'only model'
  /** It counts the tokens of a request in every dialect that it speaks, before it is asked to answer it. */
  readonly countsTokens?: boolean
  /** It takes `models` and `provider`, by which clients of Gate choose among targets, for its own. */
  readonly routes?: boolean
  /**
   * The dialects in which it goes on with an answer that the request ends with, and the fields that it needs for that.
   * Others begin a new one.
   */
  readonly continues?: Readonly<Partial<Record<DialectName, object>>>
  /** Arguments of tools that it sends are JSON: it sees to that itself. */
  readonly hasSoundCalls?: boolean
  readonly chat: ChatQuirks
}

const USUAL: ChatQuirks = {
  usage: 'asked',
  limit: 'max_tokens',
  thinking: null,
  hasTopK: false,
  hasTemplate: false,
  hasDeveloper: false,
  hasSchemas: true,
  hasFreeform: false,
  mostStops: null,
  fetchesDocuments: false,
  lacks: [],
  hasShortCallIds: false,
}
const OPENAI: ChatQuirks = {
  ...USUAL,
  limit: 'max_completion_tokens',
  hasDeveloper: true,
  hasFreeform: true,
  mostStops: 4,
}
const ENGINE: ChatQuirks = { ...USUAL, thinking: 'reasoning_content', hasTopK: true, hasTemplate: true }
const UNKNOWN: ChatQuirks = { ...USUAL, usage: 'unknown' }

const CHAT = { 'openai-chat': 'native' } as const
const CHAT_AND_RESPONSES = { 'openai-chat': 'native', 'openai-responses': 'native' } as const

/** Every kind of upstream, in the order they are shown. */
const ROWS = {
  openai: {
    baseUrl: 'https://api.openai.com/v1',
    key: 'bearer',
    hasSoundCalls: true,
    dialects: CHAT_AND_RESPONSES,
    chat: OPENAI,
  },
  anthropic: {
    baseUrl: 'https://api.anthropic.com/v1',
    key: 'x-api-key',
    hasSoundCalls: true,
    dialects: { anthropic: 'native' },
    continues: { anthropic: {} },
    chat: USUAL,
  },
  google: {
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
    key: 'dialect',
    hasSoundCalls: true,
    dialects: { google: 'native' },
    chat: USUAL,
  },
  azure: {
    baseUrl: null,
    example: 'https://RESOURCE.openai.azure.com/openai/v1',
    key: 'api-key',
    hasSoundCalls: true,
    dialects: CHAT_AND_RESPONSES,
    chat: OPENAI,
  },
  bedrock: {
    baseUrl: null,
    example: 'https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1',
    key: 'aws',
    hasSoundCalls: true,
    dialects: CHAT_AND_RESPONSES,
    chat: { ...OPENAI, hasDeveloper: true },
  },
  mistral: {
    baseUrl: 'https://api.mistral.ai/v1',
    key: 'bearer',
    dialects: CHAT,
    chat: { ...USUAL, usage: 'refused', lacks: ['logit_bias', 'logprobs', 'user'], hasShortCallIds: true },
  },
  groq: {
    baseUrl: 'https://api.groq.com/openai/v1',
    key: 'bearer',
    dialects: CHAT,
    chat: {
      ...USUAL,
      limit: 'max_completion_tokens',
      thinking: 'reasoning',
      mostStops: 4,
      lacks: ['logit_bias', 'logprobs', 'top_logprobs'],
    },
  },
  openrouter: {
    baseUrl: 'https://openrouter.ai/api/v1',
    key: 'bearer',
    dialects: { 'openai-chat': 'native', anthropic: 'native' },
    routes: true,
    continues: { 'openai-chat': {} },
    chat: { ...USUAL, hasTopK: true, thinking: 'reasoning', hasDeveloper: true, fetchesDocuments: true },
  },
  deepseek: {
    baseUrl: 'https://api.deepseek.com/v1',
    key: 'bearer',
    dialects: CHAT,
    chat: { ...USUAL, thinking: 'reasoning_content', hasSchemas: false },
  },
  together: {
    baseUrl: 'https://api.together.xyz/v1',
    key: 'bearer',
    dialects: CHAT,
    chat: { ...USUAL, hasTopK: true },
  },
  fireworks: {
    baseUrl: 'https://api.fireworks.ai/inference/v1',
    key: 'bearer',
    dialects: CHAT,
    chat: { ...USUAL, hasTopK: true, thinking: 'reasoning_content' },
  },
  xai: { baseUrl: 'https://api.x.ai/v1', key: 'bearer', dialects: CHAT_AND_RESPONSES, chat: USUAL },
  cohere: {
    baseUrl: 'https://api.cohere.ai/compatibility/v1',
    key: 'bearer',
    dialects: CHAT,
    chat: { ...USUAL, hasDeveloper: true, lacks: ['logit_bias', 'n', 'parallel_tool_calls', 'user'] },
  },
  perplexity: {
    baseUrl: 'https://api.perplexity.ai',
    key: 'bearer',
    dialects: CHAT,
    chat: { ...USUAL, usage: 'refused', hasTopK: true, lacks: ['logit_bias', 'logprobs', 'n', 'seed', 'user'] },
  },
  moonshot: {
    baseUrl: 'https://api.moonshot.ai/v1',
    key: 'bearer',
    dialects: CHAT,
    chat: { ...USUAL, thinking: 'reasoning_content' },
  },
  ollama: {
    baseUrl: 'http://127.0.0.1:11434/v1',
    key: 'bearer',
    dialects: CHAT,
    isEngine: true,
    continues: { 'openai-chat': {}, ollama: {} },
    chat: USUAL,
  },
  vllm: {
    baseUrl: 'http://127.0.0.1:8000/v1',
    key: 'bearer',
    dialects: CHAT,
    isEngine: true,
    probed: 'any model',
    continues: { 'openai-chat': { continue_final_message: true, add_generation_prompt: false } },
    chat: { ...ENGINE, thinking: 'reasoning' },
  },
  sglang: {
    baseUrl: 'http://127.0.0.1:30000/v1',
    key: 'bearer',
    dialects: CHAT,
    isEngine: true,
    probed: 'any model',
    continues: { 'openai-chat': { continue_final_message: true } },
    chat: ENGINE,
  },
  'llama-cpp': {
    baseUrl: 'http://127.0.0.1:8080/v1',
    key: 'bearer',
    dialects: CHAT,
    isEngine: true,
    countsTokens: true,
    probed: 'only model', // as a router it has several, and loads them when they are asked for
    continues: { 'openai-chat': {} },
    chat: ENGINE,
  },
  lmstudio: {
    baseUrl: 'http://127.0.0.1:1234/v1',
    key: 'bearer',
    dialects: CHAT,
    isEngine: true,
    chat: { ...USUAL, hasTopK: true },
  },
  custom: {
    baseUrl: null,
    example: 'http://127.0.0.1:8000/v1',
    key: 'dialect',
    dialects: CHAT,
    chat: UNKNOWN,
  },
  peer: {
    baseUrl: null,
    example: 'https://gate.example.org/v1',
    key: 'bearer',
    hasSoundCalls: true,
    dialects: { 'openai-chat': 'native', 'openai-responses': 'native', anthropic: 'native', google: 'native' },
    chat: { ...OPENAI, limit: 'max_tokens', thinking: 'reasoning_content', hasTopK: true },
  },
  echo: { baseUrl: null, key: 'dialect', dialects: CHAT, chat: UNKNOWN },
} as const satisfies Record<string, ProviderRow>

export type Provider = keyof typeof ROWS

export const PROVIDERS: readonly [Provider, ...Provider[]] = namesOf(ROWS)

export function isProvider(name: unknown): name is Provider {
  return typeof name === 'string' && Object.hasOwn(ROWS, name)
}

/** What is known of a provider; of one that is not known, as little as of a custom upstream. */
export function providerRow(name: string): ProviderRow {
  return isProvider(name) ? ROWS[name] : ROWS.custom
}

/** The usual URL of a provider; undefined when it has none. */
export function defaultBaseUrl(provider: Provider): string | undefined {
  return ROWS[provider].baseUrl ?? undefined
}

/** A URL such as the provider has, for messages. */
export function exampleBaseUrl(provider: Provider): string {
  const { baseUrl, example }: ProviderRow = ROWS[provider]
  return baseUrl ?? example ?? 'http://127.0.0.1:8000/v1'
}

/** URL an upstream is asked at. @throws RangeError for `echo`, and for `custom` without `base_url` (refused at load) */
export function baseUrlOf(
  name: string,
  upstream: { readonly provider: Provider; readonly base_url?: string | undefined },
): string {
  const url = upstream.base_url ?? defaultBaseUrl(upstream.provider)
  if (url === undefined) throw new RangeError(`upstream ${name} has no base_url`)
  return url
}

/** How well upstreams of a provider speak each dialect. @param baseUrl where they answer; empty: at the usual URL */
export function gradesOf(provider: string, baseUrl = ''): Grades {
  if (provider === 'google' && /\/openai\/?$/.test(baseUrl)) return CHAT // Google's route for clients of OpenAI
  if (provider === 'ollama' && /\/api\/?$/.test(baseUrl)) return { ollama: 'native' } // its own routes, not OpenAI's
  return providerRow(provider).dialects
}

function namesOf<Name extends string>(rows: Readonly<Record<Name, unknown>>): readonly [Name, ...Name[]] {
  return Object.keys(rows) as [Name, ...Name[]]
}
