import type { BackendSpec } from '../../schemas/spec/spec.ts'
import { INSIDE } from './names.ts'

/** What an engine is started with. */
export type EngineCommand = {
  readonly entrypoint: string | undefined
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** The check of the engine; the one of the spec comes before it. */
  readonly health: readonly string[] | undefined
  /** Volumes the engine cannot do without: name -> path inside. */
  readonly volumes: Readonly<Record<string, string>>
}

/** How the container is to listen, and what else its command depends on. */
export type CommandContext = {
  readonly listen: 'unix' | 'tcp'
  readonly containerPort: number
  readonly gatewayPort: number
}

/** The command of a backend. @see ENGINE_TRAITS for the sources */
export function engineCommand(backend: BackendSpec, context: CommandContext): EngineCommand {
  switch (backend.engine) {
    case 'vllm':
      return vllm(backend, context)
    case 'llama-cpp':
      return llamaCpp(backend, context)
    case 'ollama':
      return ollama(context)
    case 'open-webui':
      return openWebui(context)
    case 'custom':
      return { entrypoint: undefined, args: [], environment: {}, health: undefined, volumes: {} }
  }
}

function vllm({ model = '', gpu, network }: BackendSpec, { listen, containerPort }: CommandContext): EngineCommand {
  const address = listen === 'unix' ? ['--uds', INSIDE.socket] : ['--host', '0.0.0.0', '--port', String(containerPort)]
  const parallel = gpu.devices.length > 1 ? ['--tensor-parallel-size', String(gpu.devices.length)] : []
  return {
    entrypoint: 'vllm',
    args: ['serve', modelPath(model), '--served-model-name', model, ...address, ...parallel],
    environment: {
      HOME: INSIDE.cacheDirectory,
      XDG_CACHE_HOME: INSIDE.cacheDirectory,
      VLLM_NO_USAGE_STATS: '1',
      ...(network ? {} : { HF_HUB_OFFLINE: '1' }),
    },
    health: curl(listen, containerPort),
    volumes: { cache: INSIDE.cacheDirectory },
  }
}

function llamaCpp({ model = '', gpu }: BackendSpec, { listen, containerPort }: CommandContext): EngineCommand {
  const address = listen === 'unix' ? ['--host', INSIDE.socket] : ['--host', '0.0.0.0', '--port', String(containerPort)]
  const layers = gpu.kind === 'none' ? [] : ['--n-gpu-layers', '999']
  return {
    entrypoint: undefined,
    args: ['--model', modelPath(model), '--alias', model, ...address, ...layers],
    environment: {},
    health: curl(listen, containerPort),
    volumes: {},
  }
}

function ollama({ containerPort }: CommandContext): EngineCommand {
  return {
    entrypoint: undefined,
    args: [],
    environment: { HOME: '/data', OLLAMA_HOST: `0.0.0.0:${containerPort}`, OLLAMA_MODELS: '/data/models' },
    health: ['ollama', 'list'],
    volumes: { data: '/data' },
  }
}

function openWebui({ containerPort, gatewayPort }: CommandContext): EngineCommand {
  return {
    entrypoint: undefined,
    args: [],
    environment: {
      ENABLE_OLLAMA_API: 'false',
      HOME: '/app/backend/data',
      OPENAI_API_BASE_URL: `http://127.0.0.1:${gatewayPort}/v1`,
      PORT: String(containerPort),
      STATIC_DIR: '/app/backend/data/static',
      // beside its program otherwise, where nothing can be written and nothing lasts
      WEBUI_SECRET_KEY_FILE: '/app/backend/data/.webui_secret_key',
    },
    health: curl('tcp', containerPort),
    volumes: { data: '/app/backend/data' },
  }
}

function curl(listen: 'unix' | 'tcp', port: number): string[] {
  const where =
    listen === 'unix'
      ? ['--unix-socket', INSIDE.socket, 'http://localhost/health']
      : [`http://127.0.0.1:${port}/health`]
  return ['curl', '--fail', '--silent', '--show-error', ...where]
}

function modelPath(model: string): string {
  return `${INSIDE.modelsDirectory}/${model}`
}
