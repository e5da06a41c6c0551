import { durationMs } from '../../schemas/config/values.ts'
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
      return ollama(backend, context)
    case 'tei':
      return tei(backend, context)
    case 'infinity':
      return infinity(backend, context)
    case 'whisper-cpp':
      return whisperCpp(backend, context)
    case 'open-webui':
      return openWebui(backend, context)
    case 'custom':
      return { entrypoint: undefined, args: [], environment: {}, health: undefined, volumes: {} }
  }
}

function vllm(backend: BackendSpec, { listen, containerPort }: CommandContext): EngineCommand {
  const { model = '', gpu, network, hub } = backend
  const address = listen === 'unix' ? ['--uds', INSIDE.socket] : ['--host', '0.0.0.0', '--port', String(containerPort)]
  const parallel = gpu.devices.length > 1 ? ['--tensor-parallel-size', String(gpu.devices.length)] : []
  return {
    entrypoint: 'vllm',
    args: ['serve', source(backend), '--served-model-name', model, ...address, ...parallel],
    environment: {
      HOME: INSIDE.cacheDirectory,
      XDG_CACHE_HOME: INSIDE.cacheDirectory,
      VLLM_NO_USAGE_STATS: '1',
      ...(network || hub !== undefined ? {} : { HF_HUB_OFFLINE: '1' }),
    },
    health: curl(backend, listen, containerPort),
    volumes: { cache: INSIDE.cacheDirectory },
  }
}

function llamaCpp(backend: BackendSpec, { listen, containerPort }: CommandContext): EngineCommand {
  const { gpu, hub } = backend
  const address = listen === 'unix' ? ['--host', INSIDE.socket] : ['--host', '0.0.0.0', '--port', String(containerPort)]
  const layers = gpu.kind === 'none' ? [] : ['--n-gpu-layers', '999']
  return {
    entrypoint: undefined,
    args: [...llamaModel(backend), ...address, ...layers],
    environment: hub === undefined ? {} : { LLAMA_CACHE: INSIDE.cacheDirectory },
    health: curl(backend, listen, containerPort),
    volumes: hub === undefined ? {} : { cache: INSIDE.cacheDirectory },
  }
}

/** One model, or every model of a directory. */
function llamaModel({ model, hub, router }: BackendSpec): string[] {
  if (model !== undefined)
    return [...(hub === undefined ? ['--model', modelPath(model)] : ['--hf-repo', model]), '--alias', model]
  if (router === undefined) return []
  const { directory, presets, max_loaded } = router
  return [
    '--models-dir',
    directory === undefined ? INSIDE.modelsDirectory : modelPath(directory),
    ...(presets === undefined ? [] : ['--models-preset', INSIDE.presets]),
    ...(max_loaded === undefined ? [] : ['--models-max', String(max_loaded)]),
  ]
}

function ollama(backend: BackendSpec, { containerPort }: CommandContext): EngineCommand {
  return {
    entrypoint: undefined,
    args: [],
    environment: { HOME: '/data', OLLAMA_HOST: `0.0.0.0:${containerPort}`, OLLAMA_MODELS: '/data/models' },
    health: ['timeout', patience(backend), 'ollama', 'list'],
    volumes: { data: '/data' },
  }
}

function tei(backend: BackendSpec, { containerPort }: CommandContext): EngineCommand {
  const { model = '', hub } = backend
  const port = String(containerPort)
  // the image has no curl; bash opens connections by itself
  const ask = String.raw`exec 3<>/dev/tcp/127.0.0.1/${port} && printf 'GET /health HTTP/1.0\r\n\r\n' >&3 && read -r -t ${patience(backend)} line <&3 && [[ $line == *200* ]]`
  return {
    entrypoint: undefined,
    args: ['--model-id', source(backend), '--served-model-name', model, '--hostname', '0.0.0.0', '--port', port],
    environment: hubCache(hub !== undefined, 'HUGGINGFACE_HUB_CACHE'),
    health: ['bash', '-c', ask],
    volumes: { cache: INSIDE.cacheDirectory },
  }
}

function infinity(backend: BackendSpec, { containerPort }: CommandContext): EngineCommand {
  const { model = '', hub } = backend
  const port = String(containerPort)
  const address = ['--host', '0.0.0.0', '--port', port, '--url-prefix', '/v1']
  const ask = `import urllib.request; urllib.request.urlopen('http://127.0.0.1:${port}/health', timeout=${patience(backend)})`
  return {
    entrypoint: undefined,
    args: ['v2', '--model-id', source(backend), '--served-model-name', model, ...address],
    environment: { ...hubCache(hub !== undefined, 'HF_HOME'), DO_NOT_TRACK: '1' },
    health: ['python3', '-c', ask],
    volumes: { cache: INSIDE.cacheDirectory },
  }
}

function whisperCpp(backend: BackendSpec, { containerPort }: CommandContext): EngineCommand {
  const { model = '' } = backend
  const path = ['--inference-path', '/v1/audio/transcriptions']
  return {
    // the image's own is a shell
    entrypoint: 'whisper-server',
    args: ['--model', modelPath(model), '--host', '0.0.0.0', '--port', String(containerPort), ...path],
    environment: {},
    health: curl(backend, 'tcp', containerPort),
    volumes: {},
  }
}

function hubCache(isFetched: boolean, variable: string): Record<string, string> {
  const home = { HOME: INSIDE.cacheDirectory, [variable]: INSIDE.cacheDirectory }
  return isFetched ? home : { ...home, HF_HUB_OFFLINE: '1' }
}

function openWebui(backend: BackendSpec, { containerPort, gatewayPort }: CommandContext): EngineCommand {
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
    health: curl(backend, 'tcp', containerPort),
    volumes: { data: '/app/backend/data' },
  }
}

function curl(backend: BackendSpec, listen: 'unix' | 'tcp', port: number): string[] {
  const where =
    listen === 'unix'
      ? ['--unix-socket', INSIDE.socket, 'http://localhost/health']
      : [`http://127.0.0.1:${port}/health`]
  return ['curl', '--fail', '--silent', '--show-error', '--max-time', patience(backend), ...where]
}

/** Seconds that a check waits for an engine that hangs: podman waits for the end of each check, however long. */
const patience = ({ health }: BackendSpec): string =>
  String(Math.max(1, Math.floor(durationMs(health.timeout) / 1000) - 1))

/** What the engine loads: an id of the hub, or a path inside. */
const source = ({ model = '', hub }: BackendSpec): string => (hub === undefined ? modelPath(model) : model)

function modelPath(model: string): string {
  return `${INSIDE.modelsDirectory}/${model}`
}
