import { ENGINE_TRAITS } from '../../../compiler/catalog/engines.ts'
import { GPU_KINDS } from '../../../schemas/words/engines.ts'
import { keyPathText } from '../../../schemas/words/key-path.ts'
import { valueText } from '../../../syntax/toml/text.ts'
import { usageFailure } from '../../failure.ts'

/** JSON Schema of the spec, beside it, so that the reference holds wherever both are kept. */
export const SCHEMA_FILE = 'gate.schema.json'

/** Money that the set-up offers, as limit and window; unlimited: no budget. */
const BUDGETS = { test: ['5 USD', 'day'], prod: ['200 USD', 'month'], unlimited: undefined } as const

/** The options of `gatectl init`. */
export type Answers = {
  readonly domain: string | undefined
  readonly profile: string
  /** A number, or `random`. */
  readonly port: string
  readonly proxy: string
  /** `none`, `internal-ca`, or `acme:` and the address of the account. */
  readonly tls: string
  readonly budget: string
  readonly gpu: string
  /** Providers. */
  readonly upstreams: readonly string[]
  readonly backends: readonly FirstBackend[]
}

type FirstBackend = {
  readonly name: string
  readonly engine: string
  readonly model: string | undefined
  /** By digest; absent: the usual one by tag. */
  readonly image: string | undefined
}

/** Images by engine and kind of GPU; "none" is also for kinds that are not listed. */
const IMAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  vllm: { nvidia: 'docker.io/vllm/vllm-openai:latest', amd: 'docker.io/rocm/vllm:latest' },
  'llama-cpp': {
    nvidia: 'ghcr.io/ggml-org/llama.cpp:server-cuda',
    amd: 'ghcr.io/ggml-org/llama.cpp:server-rocm',
    vulkan: 'ghcr.io/ggml-org/llama.cpp:server-vulkan',
    none: 'ghcr.io/ggml-org/llama.cpp:server',
  },
  ollama: { amd: 'docker.io/ollama/ollama:rocm', none: 'docker.io/ollama/ollama:latest' },
  tei: {
    nvidia: 'ghcr.io/huggingface/text-embeddings-inference:cuda-1.9',
    none: 'ghcr.io/huggingface/text-embeddings-inference:cpu-1.9',
  },
  infinity: {
    nvidia: 'docker.io/michaelf34/infinity:latest',
    amd: 'docker.io/michaelf34/infinity:latest-rocm',
    none: 'docker.io/michaelf34/infinity:latest-cpu',
  },
  'whisper-cpp': {
    nvidia: 'ghcr.io/ggml-org/whisper.cpp:main-cuda',
    vulkan: 'ghcr.io/ggml-org/whisper.cpp:main-vulkan',
    none: 'ghcr.io/ggml-org/whisper.cpp:main',
  },
  'open-webui': { none: 'ghcr.io/open-webui/open-webui:main' },
}

/** `name=engine:model`; the model is optional. @throws Failure */
export function parseBackend(text: string): FirstBackend {
  const [, name, engine, model] = /^([^=]+)=([^:]+)(?::(.+))?$/.exec(text) ?? []
  if (name === undefined || engine === undefined || !Object.hasOwn(IMAGES, engine))
    throw usageFailure(
      `--backend: "${text}" is not a backend`,
      `write NAME=ENGINE:MODEL; engines: ${Object.keys(IMAGES).join(', ')} (custom: add it to the spec by hand)`,
    )
  return { name, engine, model, image: undefined }
}

/** Gives the images of `NAME=IMAGE` to the backends of these names. @throws Failure when there is no such backend */
export function withImages(backends: readonly FirstBackend[], images: readonly string[]): FirstBackend[] {
  const byName = new Map(images.map(parseImage))
  const unknown = [...byName.keys()].find((name) => !backends.some((backend) => backend.name === name))
  if (unknown !== undefined)
    throw usageFailure(`--image: there is no backend "${unknown}"`, 'name one that --backend gives')
  return backends.map((backend) => ({ ...backend, image: byName.get(backend.name) ?? backend.image }))
}

function parseImage(text: string): [name: string, image: string] {
  const [, name, image] = /^([^=]+)=(.+)$/.exec(text) ?? []
  if (name === undefined || image === undefined)
    throw usageFailure(`--image: "${text}" is not an image of a backend`, 'write NAME=REGISTRY/IMAGE@sha256:DIGEST')
  return [name, image]
}

/** The usual image of an engine, by tag. @throws Failure when there is none for this kind of GPU */
export function usualImage(engine: string, gpu: string): string {
  const images = IMAGES[engine] ?? {}
  const image = (Object.hasOwn(images, gpu) ? images[gpu] : undefined) ?? images['none']
  if (image === undefined)
    throw usageFailure(`--backend: ${engine} has no image for --gpu ${gpu}`, 'use llama-cpp, or --gpu nvidia')
  return image
}

/** A spec with comments, as TOML. Texts are quoted; whether they make sense is for the compiler to say. */
export function firstSpec({ domain, profile, port, proxy, tls, budget, gpu, upstreams, backends }: Answers): string {
  const head = [
    `#:schema ./${SCHEMA_FILE}`,
    '# What this host runs. "gatectl check" says what is wrong with it, "gatectl compile" turns it into files;',
    '# docs/spec.md explains every key.',
    '',
    '[gate]',
    '# Sizes connection limits, body limits, caches and memory: desktop, small-vps, medium-vps, large-vps.',
    `profile = ${valueText(profile)}`,
    ...(domain === undefined
      ? [
          '# Needed for [proxy] and [dns]: the gateway answers to this name, apps to names below it.',
          '# domain = "ai.home.arpa"',
        ]
      : [`domain = ${valueText(domain)}`]),
    '',
    '[gate.server]',
    '# This host only. For others: put [proxy] in front, or listen on another address and set [gate.tls].',
    'host = "127.0.0.1"',
    port === 'random' ? '# Chosen once and kept in gate.lock.json.\nport = "random"' : `port = ${portText(port)}`,
  ]
  if (!GPU_KINDS.some((kind) => kind === gpu))
    throw usageFailure(`--gpu: "${gpu}" is not a kind of GPU`, `there are: ${GPU_KINDS.join(', ')}`)
  const web = [...tlsLines(tls, domain), ...(proxy === 'none' ? [] : [['[proxy]', `engine = ${valueText(proxy)}`]])]
  const money = budgetLines(budget)
  return `${[head, ...web, ...money, ...upstreams.map(upstreamLines), ...backends.map((b) => backendLines(b, gpu))].map((lines) => lines.join('\n')).join('\n\n')}\n`
}

function portText(port: string): string {
  if (/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535) return port
  throw usageFailure(`--port: "${port}" is not a port`, 'write 1 to 65535, or random')
}

function tlsLines(tls: string, domain: string | undefined): string[][] {
  if (tls === 'none') return []
  if (tls === 'internal-ca') return [['[gate.tls]', 'internal_ca = true']]
  if (tls.startsWith('acme:')) {
    if (domain === undefined) throw usageFailure('--tls: acme needs a domain', 'also give --domain')
    const email = tls.slice('acme:'.length)
    return [['[gate.tls.acme]', `email = ${valueText(email)}`, `domains = ${valueText([domain])}`]]
  }
  throw usageFailure(`--tls: "${tls}" is not a kind of certificate`, 'write none, internal-ca, or acme:ADDRESS')
}

function budgetLines(budget: string): string[][] {
  if (!Object.hasOwn(BUDGETS, budget))
    throw usageFailure(`--budget: "${budget}" is not a budget`, `there are: ${Object.keys(BUDGETS).join(', ')}`)
  const money = BUDGETS[budget as keyof typeof BUDGETS]
  if (money === undefined) return []
  const [limit, window] = money
  return [[`[budgets.${budget}]`, `limit = ${valueText(limit)}`, `window = ${valueText(window)}`]]
}

function upstreamLines(provider: string): string[] {
  return [
    `[${keyPathText(['upstreams', provider])}]`,
    `provider = ${valueText(provider)}`,
    '# A secret is only referred to: a systemd credential, { env = "NAME" } or { file = "/absolute/path" }.',
    `api_key = { credential = ${valueText(`${provider}-key`)} }`,
  ]
}

function backendLines({ name, engine, model, image: given }: FirstBackend, gpu: string): string[] {
  const image = given ?? usualImage(engine, gpu)
  return [
    `[${keyPathText(['backends', name])}]`,
    `engine = ${valueText(engine)}`,
    ...(image.includes('@')
      ? []
      : [
          '# A tag can change what runs, so this is a warning until it is name@sha256:…; once the image is on a host,',
          `# this shows the name to write: podman image inspect --format '{{index .RepoDigests 0}}' ${image}`,
        ]),
    `image = ${valueText(image)}`,
    ...(model === undefined ? [] : modelLines(engine, model)),
    ...(engine === 'open-webui'
      ? [
          '# It asks the gateway for models, with a key of its own.',
          'network = true',
          'secrets = { OPENAI_API_KEY = { credential = "webui-gateway-key" } }',
        ]
      : [`gpu = { kind = ${valueText(gpu)} }`, '# Stop it when it is not in use: idle_stop = "10m"']),
  ]
}

function modelLines(engine: string, model: string): string[] {
  const line = `model = ${valueText(model)}`
  if (engine === 'ollama')
    return [
      '# Pulled by Ollama when it starts, for which it gets a network; the name that clients ask for.',
      line,
      'hub = {}',
    ]
  const fetched = ENGINE_TRAITS[engine as keyof typeof ENGINE_TRAITS].fetches
  return [
    '# Below /var/lib/gate/models on this host, and the name that clients ask for.',
    ...(fetched ? ['# To have it fetched from Hugging Face when it starts, add: hub = {}'] : []),
    line,
  ]
}
