import type { Grades } from './dialects.ts'
import type { ChatQuirks, ProviderRow } from './provider-row.ts'

const USUAL: ChatQuirks = {
  usage: 'asked',
  limit: 'max_tokens',
  seed: 'seed',
  thinking: null,
  hasDetails: false,
  hasTopK: false,
  hasTemplate: false,
  hasDeveloper: false,
  hasSchemas: true,
  hasFreeform: false,
  hasServices: false,
  mostStops: null,
  fetchesDocuments: false,
  lacks: [],
  lacksInMessages: [],
  hasShortCallIds: false,
}
const OPENAI: ChatQuirks = {
  ...USUAL,
  limit: 'max_completion_tokens',
  hasDeveloper: true,
  hasFreeform: true,
  hasServices: true,
  mostStops: 4,
}
const ENGINE: ChatQuirks = { ...USUAL, thinking: 'reasoning_content', hasTopK: true, hasTemplate: true }
const UNKNOWN: ChatQuirks = { ...USUAL, usage: 'unknown' }

const CHAT = { 'openai-chat': 'native' } as const
const CHAT_AND_RESPONSES = { 'openai-chat': 'native', 'openai-responses': 'native' } as const
const MESSAGES = { anthropic: 'native' } as const

/** Every kind of upstream, in the order they are shown. */
const ROWS = {
  openai: {
    sources: ['https://platform.openai.com/docs/api-reference'],
    baseUrl: 'https://api.openai.com/v1',
    key: 'bearer',
    hasSoundCalls: true,
    dialects: CHAT_AND_RESPONSES,
    counts: {
      dialect: 'openai-responses',
      path: '/responses/input_tokens',
      takes: ['input', 'instructions', 'model', 'parallel_tool_calls', 'reasoning', 'text', 'tool_choice', 'tools'],
      answer: ['input_tokens'],
    },
    chat: OPENAI,
  },
  anthropic: {
    sources: ['https://platform.claude.com/docs/en/api/messages', 'https://platform.claude.com/docs/en/api/models'],
    baseUrl: 'https://api.anthropic.com/v1',
    key: 'x-api-key',
    hasSoundCalls: true,
    dialects: MESSAGES,
    counts: {
      dialect: 'anthropic',
      path: '/messages/count_tokens',
      takes: ['messages', 'model', 'output_config', 'system', 'thinking', 'tool_choice', 'tools'],
      answer: ['input_tokens'],
    },
    continues: { anthropic: {} },
    chat: USUAL,
  },
  google: {
    sources: ['https://ai.google.dev/api/generate-content', 'https://ai.google.dev/api/tokens'],
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
    key: 'dialect',
    hasSoundCalls: true,
    dialects: { google: 'native' },
    elsewhere: {
      ends: /\/openai\/?$/,
      example: 'https://generativelanguage.googleapis.com/v1beta/openai',
      dialects: CHAT,
    },
    counts: {
      dialect: 'google',
      path: '/models/{model}:countTokens',
      within: 'generateContentRequest',
      answer: ['totalTokens'],
    },
    chat: USUAL,
  },
  azure: {
    sources: ['https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle'],
    baseUrl: null,
    example: 'https://RESOURCE.openai.azure.com/openai/v1',
    key: 'api-key',
    hasSoundCalls: true,
    dialects: CHAT_AND_RESPONSES,
    chat: OPENAI,
  },
  bedrock: {
    sources: ['https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html'],
    baseUrl: null,
    example: 'https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1',
    key: 'aws',
    hasSoundCalls: true,
    dialects: CHAT_AND_RESPONSES,
    chat: OPENAI,
  },
  mistral: {
    sources: [
      'https://docs.mistral.ai/api/endpoint/chat',
      'https://docs.mistral.ai/api/endpoint/responses',
      'https://github.com/mistralai/client-python/blob/main/src/mistralai/client/models/chatcompletionrequest.py',
    ],
    baseUrl: 'https://api.mistral.ai/v1',
    key: 'bearer',
    dialects: CHAT,
    others: { 'openai-responses': 'a preview' },
    chat: {
      ...USUAL,
      usage: 'refused',
      seed: 'random_seed',
      takes: [
        'frequency_penalty',
        'guardrails',
        'max_tokens',
        'messages',
        'metadata',
        'model',
        'n',
        'parallel_tool_calls',
        'prediction',
        'presence_penalty',
        'prompt_cache_key',
        'prompt_mode',
        'random_seed',
        'reasoning_effort',
        'response_format',
        'safe_prompt',
        'stop',
        'stream',
        'temperature',
        'tool_choice',
        'tools',
        'top_p',
      ],
      lacksInMessages: ['annotations', 'audio', 'function_call', 'name', 'reasoning', 'reasoning_content', 'refusal'],
      hasShortCallIds: true,
    },
  },
  groq: {
    sources: ['https://console.groq.com/docs/openai'],
    baseUrl: 'https://api.groq.com/openai/v1',
    key: 'bearer',
    dialects: CHAT,
    others: { 'openai-responses': 'a beta' },
    chat: {
      ...USUAL,
      limit: 'max_completion_tokens',
      thinking: 'reasoning',
      mostStops: 4,
      lacks: ['logit_bias', 'logprobs', 'top_logprobs'],
      lacksInMessages: ['name'],
    },
  },
  openrouter: {
    sources: [
      'https://openrouter.ai/docs/api-reference/overview',
      'https://openrouter.ai/docs/api_reference/responses/error-handling',
      'https://openrouter.ai/docs/guides/coding-agents/codex-cli',
    ],
    baseUrl: 'https://openrouter.ai/api/v1',
    key: 'bearer',
    dialects: { 'openai-chat': 'native', 'openai-responses': 'native', anthropic: 'native' },
    routes: true,
    isStateless: true,
    continues: { 'openai-chat': {} },
    chat: {
      ...USUAL,
      hasTopK: true,
      thinking: 'reasoning',
      hasDetails: true,
      hasDeveloper: true,
      fetchesDocuments: true,
    },
  },
  deepseek: {
    sources: [
      'https://api-docs.deepseek.com/api/create-chat-completion',
      'https://api-docs.deepseek.com/guides/thinking_mode',
      'https://api-docs.deepseek.com/guides/responses_api',
      'https://api-docs.deepseek.com/guides/anthropic_api',
    ],
    baseUrl: 'https://api.deepseek.com',
    key: 'bearer',
    dialects: CHAT_AND_RESPONSES,
    elsewhere: {
      ends: /\/anthropic\/v1\/?$/,
      example: 'https://api.deepseek.com/anthropic/v1',
      dialects: MESSAGES,
    },
    isStateless: true,
    chat: { ...USUAL, thinking: 'reasoning_content', missingThought: '', hasSchemas: false, mostStops: 16 },
  },
  together: {
    sources: [
      'https://docs.together.ai/docs/inference/openai-compatibility',
      'https://docs.together.ai/docs/inference/responses-api',
      'https://docs.together.ai/docs/inference/messages-api',
    ],
    baseUrl: 'https://api.together.ai/v1',
    key: 'bearer',
    dialects: CHAT,
    others: { 'openai-responses': 'of some models alone', anthropic: 'of some models alone' },
    chat: { ...USUAL, hasTopK: true },
  },
  fireworks: {
    sources: [
      'https://docs.fireworks.ai/tools-sdks/openai-compatibility',
      'https://docs.fireworks.ai/tools-sdks/anthropic-compatibility',
      'https://docs.fireworks.ai/guides/response-api',
      'https://docs.fireworks.ai/guides/reasoning',
    ],
    baseUrl: 'https://api.fireworks.ai/inference/v1',
    key: 'bearer',
    dialects: { 'openai-chat': 'native', anthropic: 'native' },
    others: { 'openai-responses': 'its tools are functions and MCP alone, and Codex has others' },
    chat: { ...USUAL, hasTopK: true, thinking: 'reasoning_content' },
  },
  xai: {
    sources: ['https://docs.x.ai/docs/api-reference'],
    baseUrl: 'https://api.x.ai/v1',
    key: 'bearer',
    dialects: CHAT_AND_RESPONSES,
    others: { anthropic: 'deprecated' },
    chat: { ...USUAL, limit: 'max_completion_tokens' },
  },
  cohere: {
    sources: ['https://docs.cohere.com/docs/compatibility-api', 'https://docs.cohere.com/reference/list-models'],
    baseUrl: 'https://api.cohere.ai/compatibility/v1',
    key: 'bearer',
    dialects: CHAT,
    models: { path: '/../../v1/models?page_size=1000', list: 'models', id: 'name' },
    chat: {
      ...USUAL,
      hasDeveloper: true,
      mostStops: 5,
      lacks: [
        'audio',
        'logit_bias',
        'metadata',
        'modalities',
        'n',
        'parallel_tool_calls',
        'prediction',
        'service_tier',
        'store',
        'top_logprobs',
        'user',
      ],
      efforts: ['none', 'high'],
    },
  },
  perplexity: {
    // its chat completions (Sonar) ended on 2026-09-27
    sources: [
      'https://docs.perplexity.ai/docs/agent-api/openai-compatibility',
      'https://docs.perplexity.ai/docs/agent-api/migrate-from-sonar',
      'https://docs.perplexity.ai/api-reference/models-get',
      'https://docs.perplexity.ai/docs/router/quickstart',
    ],
    baseUrl: 'https://api.perplexity.ai/v1',
    key: 'bearer',
    dialects: { 'openai-responses': 'repair' },
    elsewhere: {
      ends: /\/router\/v1\/?$/,
      example: 'https://api.perplexity.ai/router/v1',
      dialects: { 'openai-chat': 'native', 'openai-responses': 'native', anthropic: 'native' },
    },
    isStrict: true,
    chat: USUAL,
  },
  moonshot: {
    sources: [
      'https://platform.kimi.ai/docs/api/overview',
      'https://platform.kimi.ai/docs/api/chat',
      'https://platform.kimi.ai/docs/guide/use-kimi-k2-thinking-model',
      'https://github.com/MoonshotAI/kimi-cli/blob/main/src/kimi_cli/auth/platforms.py',
    ],
    baseUrl: 'https://api.moonshot.ai/v1',
    key: 'bearer',
    dialects: CHAT,
    others: { 'openai-responses': 'what it takes depends on the model' },
    elsewhere: {
      ends: /\/anthropic\/v1\/?$/,
      example: 'https://api.moonshot.ai/anthropic/v1',
      dialects: MESSAGES,
    },
    counts: {
      dialect: 'openai-chat',
      path: '/tokenizers/estimate-token-count',
      takes: ['messages', 'model', 'tools'],
      answer: ['data', 'total_tokens'],
    },
    chat: { ...USUAL, limit: 'max_completion_tokens', thinking: 'reasoning_content', missingThought: ' ' },
  },
  ollama: {
    sources: [
      'https://docs.ollama.com/api/openai-compatibility',
      'https://docs.ollama.com/api/anthropic-compatibility',
      'https://github.com/ollama/ollama/blob/main/openai/openai.go',
    ],
    baseUrl: 'http://127.0.0.1:11434/v1',
    key: 'bearer',
    dialects: CHAT,
    others: { 'openai-responses': 'since 0.13.3, and keeps nothing', anthropic: 'since 0.14, and counts nothing' },
    elsewhere: { ends: /\/api\/?$/, example: 'http://127.0.0.1:11434/api', dialects: { ollama: 'native' } },
    isEngine: true,
    continues: { 'openai-chat': {}, ollama: {} },
    chat: { ...USUAL, thinking: 'reasoning' },
  },
  vllm: {
    sources: [
      'https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html',
      'https://github.com/vllm-project/vllm/blob/main/vllm/entrypoints/serve/tokenize/protocol.py',
      'https://github.com/vllm-project/vllm/blob/main/vllm/entrypoints/anthropic/api_router.py',
    ],
    baseUrl: 'http://127.0.0.1:8000/v1',
    key: 'bearer',
    dialects: CHAT,
    isEngine: true,
    probed: 'any model',
    counts: {
      dialect: 'openai-chat',
      path: '/../tokenize',
      takes: ['chat_template_kwargs', 'messages', 'model', 'tools'],
      answer: ['count'],
    },
    continues: { 'openai-chat': { continue_final_message: true, add_generation_prompt: false } },
    chat: { ...ENGINE, thinking: 'reasoning' },
  },
  sglang: {
    sources: [
      'https://docs.sglang.io/docs/basic_usage/openai_api_completions',
      'https://docs.sglang.io/docs/basic_usage/anthropic_api',
    ],
    baseUrl: 'http://127.0.0.1:30000/v1',
    key: 'bearer',
    dialects: CHAT,
    isEngine: true,
    probed: 'any model',
    // its /tokenize takes a text, and no conversation
    counts: { dialect: 'anthropic', path: '/messages/count_tokens', answer: ['input_tokens'] },
    continues: { 'openai-chat': { continue_final_message: true } },
    chat: ENGINE,
  },
  'llama-cpp': {
    sources: ['https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md'],
    baseUrl: 'http://127.0.0.1:9931/v1', // 8080 before 0.7
    key: 'bearer',
    dialects: CHAT,
    isEngine: true,
    counts: 'as spoken',
    probed: 'only model', // as a router it has several, and loads them when they are asked for
    continues: { 'openai-chat': {} },
    chat: ENGINE,
  },
  lmstudio: {
    sources: ['https://lmstudio.ai/docs/developer/openai-compat', 'https://lmstudio.ai/docs/developer/rest/endpoints'],
    baseUrl: 'http://127.0.0.1:1234/v1',
    key: 'bearer',
    dialects: CHAT,
    others: { 'openai-responses': 'since 0.3.29', anthropic: 'since 0.4.1' },
    isEngine: true,
    models: { path: '/../api/v0/models', list: 'data', id: 'id' },
    chat: { ...USUAL, hasTopK: true },
  },
  custom: {
    sources: [],
    baseUrl: null,
    example: 'http://127.0.0.1:8000/v1',
    key: 'dialect',
    dialects: CHAT,
    counts: 'where native',
    chat: UNKNOWN,
  },
  peer: {
    sources: [],
    baseUrl: null,
    example: 'https://gate.example.org/v1',
    key: 'bearer',
    hasSoundCalls: true,
    dialects: { 'openai-chat': 'native', 'openai-responses': 'native', anthropic: 'native', google: 'native' },
    counts: 'where native',
    chat: { ...OPENAI, limit: 'max_tokens', thinking: 'reasoning_content', hasTopK: true },
  },
  echo: { sources: [], baseUrl: null, key: 'dialect', dialects: CHAT, chat: UNKNOWN },
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
  const { dialects, elsewhere } = providerRow(provider)
  return elsewhere?.ends.test(baseUrl) === true ? elsewhere.dialects : dialects
}

function namesOf<Name extends string>(rows: Readonly<Record<Name, unknown>>): readonly [Name, ...Name[]] {
  return Object.keys(rows) as [Name, ...Name[]]
}
