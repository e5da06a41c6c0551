import type { BackendSpec, Engine, GpuKind } from '../../schemas/spec/spec.ts'

/** What an engine's image can do, and how it is configured. The arguments themselves are built in `ir/command.ts`. */
export type EngineTraits = {
  readonly gpus: readonly GpuKind[]
  /** Ways to be reached, the preferred one first. */
  readonly listen: readonly ('unix' | 'tcp')[]
  readonly containerPort: number
  readonly needsModel: boolean
  /** Answers the OpenAI API: the daemon can send requests there. */
  readonly isUpstream: boolean
  /** Works with the gateway as its upstream, so it cannot do without a network. */
  readonly needsNetwork: boolean
  /** Environment name of the key that the engine demands from callers on TCP, when it can. */
  readonly keyVariable?: string
  /** Has its own login, so an open loopback port is not a hole. */
  readonly ownLogin: boolean
  /** Whose the files of its image are that it writes to: Gate's user 1000, or the image's own. */
  readonly user: 'engine' | 'image'
  /** Time until the first answer with a large model, in milliseconds. */
  readonly startPeriodMs: number
  /** Can fetch a model by itself. */
  readonly fetches: boolean
  readonly shmBytes?: number
}

const MIB = 2 ** 20
const ALL_GPUS = ['nvidia', 'amd', 'vulkan', 'none'] as const

/** @see docs/engines.md for the sources */
export const ENGINE_TRAITS: Readonly<Record<Engine, EngineTraits>> = {
  vllm: {
    gpus: ['nvidia', 'amd', 'none'],
    listen: ['unix', 'tcp'],
    containerPort: 8000,
    needsModel: true,
    isUpstream: true,
    needsNetwork: false,
    keyVariable: 'VLLM_API_KEY',
    ownLogin: false,
    user: 'engine',
    fetches: true,
    startPeriodMs: 600_000,
    shmBytes: 8192 * MIB,
  },
  'llama-cpp': {
    gpus: ALL_GPUS,
    listen: ['unix', 'tcp'],
    containerPort: 8080,
    needsModel: true,
    isUpstream: true,
    needsNetwork: false,
    keyVariable: 'LLAMA_API_KEY',
    ownLogin: false,
    user: 'engine',
    fetches: true,
    startPeriodMs: 300_000,
  },
  ollama: {
    gpus: ALL_GPUS,
    listen: ['tcp'],
    containerPort: 11_434,
    needsModel: false,
    isUpstream: true,
    needsNetwork: false,
    ownLogin: false,
    user: 'engine',
    fetches: true,
    startPeriodMs: 60_000,
  },
  tei: {
    gpus: ['nvidia', 'none'],
    listen: ['tcp'],
    containerPort: 8080,
    needsModel: true,
    isUpstream: true,
    needsNetwork: false,
    keyVariable: 'API_KEY',
    ownLogin: false,
    user: 'engine',
    fetches: true,
    startPeriodMs: 300_000,
  },
  infinity: {
    gpus: ['nvidia', 'amd', 'none'],
    listen: ['tcp'],
    containerPort: 7997,
    needsModel: true,
    isUpstream: true,
    needsNetwork: false,
    keyVariable: 'INFINITY_API_KEY',
    ownLogin: false,
    user: 'engine',
    fetches: true,
    startPeriodMs: 300_000,
  },
  'whisper-cpp': {
    gpus: ['nvidia', 'vulkan', 'none'],
    listen: ['tcp'],
    containerPort: 8080,
    needsModel: true,
    isUpstream: true,
    needsNetwork: false,
    ownLogin: false,
    user: 'engine',
    fetches: false,
    startPeriodMs: 120_000,
  },
  'open-webui': {
    gpus: ['nvidia', 'none'],
    listen: ['tcp'],
    containerPort: 8080,
    needsModel: false,
    isUpstream: false,
    needsNetwork: true,
    ownLogin: true,
    user: 'image',
    fetches: false,
    startPeriodMs: 180_000,
  },
  custom: {
    gpus: ALL_GPUS,
    listen: ['unix', 'tcp'],
    containerPort: 8080,
    needsModel: false,
    isUpstream: true,
    needsNetwork: false,
    ownLogin: false,
    user: 'engine',
    fetches: false,
    startPeriodMs: 60_000,
  },
}

/** How callers reach this backend: as the spec says, else the engine's preferred way. */
export function listenOf({ engine, listen }: Pick<BackendSpec, 'engine' | 'listen'>): 'unix' | 'tcp' {
  return listen ?? ENGINE_TRAITS[engine].listen[0] ?? 'tcp'
}

/** Whom its container runs as: as the spec says, else the engine's own way. */
export function userOf({ engine, user }: Pick<BackendSpec, 'engine' | 'user'>): 'engine' | 'image' {
  return user ?? ENGINE_TRAITS[engine].user
}

/** A model that is fetched first takes as long as the network does. */
const FETCH_MS = 3_600_000

/** Time in which a failed check does not count, when the spec does not say. */
export function startPeriodMs({ engine, hub }: Pick<BackendSpec, 'engine' | 'hub'>): number {
  return hub === undefined ? ENGINE_TRAITS[engine].startPeriodMs : FETCH_MS
}
