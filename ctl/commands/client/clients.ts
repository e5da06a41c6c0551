import { sh, shellWord } from '../../../syntax/shell/print.ts'
import type { Path, Tree } from '../../../syntax/tree.ts'

/** What a client is told about the gateway. */
export type Gateway = {
  /** Such as `https://gate.example.com`: without a path. */
  readonly url: string
  /** File that holds the client's key; no other file holds it. */
  readonly keyFile: string
  /** The home directory of the user. */
  readonly home: string
  /** The usual model first. */
  readonly models: readonly [ClientModel, ...ClientModel[]]
  /** For summaries and titles; the usual one where no other was named. */
  readonly smallModel: string
}

export type ClientModel = {
  readonly id: string
  /** Unknown when absent, as `outputTokens`. */
  readonly contextTokens?: number
  readonly outputTokens?: number
  readonly images: boolean
  readonly tools: boolean
  readonly reasoning: boolean
}

/** A part of one of the client's own files. */
export type ClientFile = {
  /** Below the home directory. */
  readonly path: string
  /** Keys of the file, of other keys to other services, that the client takes before the key of the gateway. */
  readonly rivals?: readonly Path[]
} & (
  | {
      readonly format: 'json' | 'toml'
      readonly values: Tree
      /** Tables that are Gate's as a whole. */
      readonly own?: readonly Path[]
    }
  /** All of it is Gate's: what is not among the values goes. */
  | { readonly format: 'json'; readonly values: Tree; readonly isWhole: true }
  | { readonly format: 'env' | 'yaml'; readonly values: Readonly<Record<string, string>> }
)

/** How one client is made to use the gateway. */
export type Client = {
  readonly title: string
  readonly files: (gateway: Gateway) => readonly ClientFile[]
  /** In place of those, where people sign in with the client itself and it holds no key. @param url of the gateway */
  readonly signIn?: (url: string) => readonly ClientFile[]
  /** What is left to do by hand, in order: a line for a shell, or a sentence. */
  readonly steps: (gateway: Gateway) => readonly string[]
  /** What one should know, for docs/clients.md. */
  readonly remarks: readonly string[]
}

const withKey = (variable: string, { keyFile }: Gateway, program: string): string =>
  `${variable}="$(${sh`cat ${keyFile}`})" ${program}`

/** A table without the entries that are not known. */
const known = (entries: Tree): Tree =>
  Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined))

/** Every client that `gatectl client` knows, by the word for it. */
export const CLIENTS = {
  claude: {
    title: 'Claude Code',
    files: ({ url, keyFile, models: [model], smallModel }) => [
      {
        path: '.claude/settings.json',
        format: 'json',
        rivals: [
          ['env', 'ANTHROPIC_API_KEY'],
          ['env', 'ANTHROPIC_AUTH_TOKEN'],
        ],
        values: {
          apiKeyHelper: sh`cat ${keyFile}`,
          env: known({
            ANTHROPIC_BASE_URL: url,
            ANTHROPIC_MODEL: model.id,
            ANTHROPIC_DEFAULT_OPUS_MODEL: model.id,
            ANTHROPIC_DEFAULT_SONNET_MODEL: model.id,
            ANTHROPIC_DEFAULT_HAIKU_MODEL: smallModel,
            CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY: '1',
            CLAUDE_CODE_MAX_CONTEXT_TOKENS: model.contextTokens?.toString(),
            CLAUDE_CODE_MAX_OUTPUT_TOKENS: model.outputTokens?.toString(),
          }),
        },
      },
    ],
    signIn: (url) => [
      {
        path: '.claude/settings.json',
        format: 'json',
        rivals: [
          ['apiKeyHelper'],
          ['env', 'ANTHROPIC_API_KEY'],
          ['env', 'ANTHROPIC_AUTH_TOKEN'],
          ['env', 'ANTHROPIC_BASE_URL'],
        ],
        values: { forceLoginMethod: 'gateway', forceLoginGatewayUrl: url },
      },
    ],
    steps: () => ['claude'],
    remarks: [
      'Any model of the gateway can answer it, also a local one. Its instructions and tools have some 20,000 tokens: give a local engine a context of at least 64,000. From its second turn on the engine’s prompt cache takes most of it, since Gate leaves out the line that would change it.',
      '`/model` lists the models of the gateway.',
    ],
  },
  codex: {
    title: 'Codex',
    files: ({ url, keyFile, models: [model] }) => [
      {
        path: '.codex/config.toml',
        format: 'toml',
        own: [['model_providers', 'gate']],
        values: known({
          model: model.id,
          model_provider: 'gate',
          model_context_window: model.contextTokens,
          model_providers: {
            gate: {
              name: 'Gate',
              base_url: `${url}/v1`,
              wire_api: 'responses',
              auth: { command: 'cat', args: [keyFile] },
            },
          },
        }),
      },
    ],
    steps: () => ['codex'],
    remarks: ['`env_key = "GATE_API_KEY"` in place of the table `auth` takes the key from the environment.'],
  },
  gemini: {
    title: 'Gemini CLI',
    files: ({ url, models: [model] }) => [
      { path: '.gemini/.env', format: 'env', values: { GOOGLE_GEMINI_BASE_URL: url, GEMINI_MODEL: model.id } },
      {
        path: '.gemini/settings.json',
        format: 'json',
        values: { security: { auth: { selectedType: 'gemini-api-key' } } },
      },
    ],
    steps: (gateway) => [withKey('GEMINI_API_KEY', gateway, 'gemini')],
    remarks: ['It takes its key from the environment alone, and knows no limits of models that are not Google’s.'],
  },
  opencode: {
    title: 'OpenCode',
    files: ({ url, keyFile, models, smallModel }) => [
      {
        path: '.config/opencode/opencode.json',
        format: 'json',
        own: [['provider', 'gate']],
        values: {
          $schema: 'https://opencode.ai/config.json',
          model: `gate/${models[0].id}`,
          small_model: `gate/${smallModel}`,
          provider: {
            gate: {
              npm: '@ai-sdk/openai-compatible',
              name: 'Gate',
              options: { baseURL: `${url}/v1`, apiKey: `{file:${keyFile}}` },
              models: Object.fromEntries(models.map((model) => [model.id, openCodeModel(model)])),
            },
          },
        },
      },
    ],
    steps: () => ['opencode'],
    remarks: [],
  },
  zed: {
    title: 'Zed',
    files: ({ url, models }) => [
      {
        path: '.config/zed/settings.json',
        format: 'json',
        own: [['language_models', 'openai_compatible', 'Gate']],
        values: {
          agent: { default_model: { provider: 'Gate', model: models[0].id } },
          language_models: {
            openai_compatible: { Gate: { api_url: `${url}/v1`, available_models: models.map(zedModel) } },
          },
        },
      },
    ],
    steps: (gateway) => [withKey('GATE_API_KEY', gateway, 'zed')],
    remarks: [
      'It keeps the key in the keychain of the desktop when it is entered once in its agent settings, under Gate; then it can be started from anywhere.',
      'A settings file with comments, as Zed’s first one is, is not changed: `gatectl client zed --print` shows what to put into it.',
    ],
  },
  cursor: {
    title: 'Cursor',
    files: () => [],
    steps: ({ url, keyFile, models }) => [
      'open Settings, Models, API Keys',
      `switch on "Override OpenAI Base URL" and enter ${url}/v1`,
      `switch on "OpenAI API Key" and enter the key that ${shellWord(keyFile)} holds`,
      `"Add Custom Model" for each of: ${models.map(({ id }) => id).join(', ')}`,
    ],
    remarks: [
      'It keeps its settings in no file that can be written. Its requests come from Cursor’s servers: the gateway needs an address that the internet reaches, with a certificate that it trusts.',
      'For some models it sends the body of a response to the route of chats: Gate takes that for the chat that it means.',
    ],
  },
  aider: {
    title: 'aider',
    files: ({ url, home, models, smallModel }) => [
      {
        path: '.aider.conf.yml',
        rivals: [['openai-api-key']],
        format: 'yaml',
        values: {
          'openai-api-base': `${url}/v1`,
          model: `openai/${models[0].id}`,
          'weak-model': `openai/${smallModel}`,
          'model-metadata-file': `${home}/${AIDER_MODELS}`,
        },
      },
      {
        path: AIDER_MODELS,
        format: 'json',
        isWhole: true,
        values: Object.fromEntries(models.map((model) => [`openai/${model.id}`, aiderModel(model)])),
      },
    ],
    steps: (gateway) => [withKey('OPENAI_API_KEY', gateway, 'aider')],
    remarks: [
      'The list of models is that of the key: `/models NAME` in aider finds them (beside those that aider knows by itself), `/model openai/NAME` takes another one. Run the command again when the models of the key have changed.',
    ],
  },
  'open-webui': {
    title: 'Open WebUI',
    files: ({ url, models }) => [
      {
        path: '.config/gate/open-webui.env',
        format: 'env',
        values: {
          ENABLE_OPENAI_API: 'true',
          ENABLE_OLLAMA_API: 'false',
          OPENAI_API_BASE_URL: `${url}/v1`,
          DEFAULT_MODELS: models[0].id,
          ENABLE_FORWARD_USER_INFO_HEADERS: 'true',
        },
      },
    ],
    steps: (gateway) => [
      `set -a; . ~/.config/gate/open-webui.env; set +a; ${withKey('OPENAI_API_KEY', gateway, 'open-webui serve')}`,
    ],
    remarks: ['On the host of the gateway itself, let the spec run it instead: see above.'],
  },
} as const satisfies Record<string, Client>

export type ClientName = keyof typeof CLIENTS
export const CLIENT_NAMES = Object.keys(CLIENTS) as readonly ClientName[]

function openCodeModel({ id, contextTokens, outputTokens, images, tools, reasoning }: ClientModel): Tree {
  // OpenCode takes a limit only with both of its halves
  const limit =
    contextTokens === undefined ? undefined : { context: contextTokens, output: outputTokens ?? contextTokens }
  const modalities = { input: images ? ['text', 'image'] : ['text'], output: ['text'] }
  return known({ name: id, tool_call: tools, reasoning, attachment: images, modalities, limit })
}

function zedModel({ id, contextTokens, outputTokens, images, tools }: ClientModel): Tree {
  return known({
    name: id,
    max_tokens: contextTokens ?? ASSUMED_CONTEXT_TOKENS, // Zed refuses a model without it
    max_output_tokens: outputTokens,
    capabilities: { tools, images, parallel_tool_calls: tools, prompt_cache_key: true },
  })
}

const ASSUMED_CONTEXT_TOKENS = 32_768

/** A file of its own: in aider's own one, models that a key has no more would stay. */
const AIDER_MODELS = '.config/gate/aider-models.json'

function aiderModel({ contextTokens, outputTokens, images, tools }: ClientModel): Tree {
  return known({
    litellm_provider: 'openai',
    mode: 'chat',
    max_input_tokens: contextTokens,
    max_output_tokens: outputTokens,
    supports_vision: images,
    supports_function_calling: tools,
  })
}
