import { keyTree, layerSchema, leaves } from '../../schemas/config/keys.ts'
import type { ConfigProblem, Explanation } from '../../schemas/config/layers.ts'
import { type RelayConfig, relayConfigSchema } from '../../schemas/relay-config.ts'
import { hostsOverlap } from '../../schemas/words/address.ts'
import { keyPathText } from '../../schemas/words/key-path.ts'
import { type Path, sameValue, valueAt } from '../../syntax/tree.ts'
import { readDeclared } from '../declared-file.ts'
import { schemaDefaults } from '../defaults.ts'
import type { EnvironmentSources } from '../environment.ts'
import { errorCode, readText } from '../files.ts'
import type { KeySet } from '../key-set.ts'
import { emptyLayer, type Layer, type Layers, mergeLayers, winnerOf } from '../layers.ts'
import { checkTree, refuse } from '../problems.ts'
import { shown } from '../shown.ts'
import { parseToml } from '../toml.ts'
import { readRelayEnvironment } from './environment.ts'

export type RelaySources = EnvironmentSources & {
  /** TOML of this relay alone; may be absent. */
  readonly runtimeFile: string
  /** JSON that every user may read; may be absent. */
  readonly declaredFile: string
}

export type LoadedRelay = {
  readonly config: RelayConfig
  readonly layers: Layers
  /** Where a key was written. */
  readonly whereOf: (path: Path) => string
}

const keys: () => KeySet = () => {
  const tree = keyTree(relayConfigSchema)
  return { tree, layer: layerSchema(tree) }
}

/**
 * Reads the configuration of a relay: environment over runtime file over declared file over defaults.
 * @throws ConfigError with all that is wrong
 */
export function loadRelayConfig(sources: RelaySources): LoadedRelay {
  const set = keys()
  const env = readRelayEnvironment(sources, set)
  const runtime = readRuntimeFile(sources.runtimeFile, set)
  const declared = readDeclared(sources.declaredFile, set)
  refuse([...env.problems, ...runtime.problems, ...declared.problems])
  const above = [env.layer, runtime.layer, declared.layer] as const
  const layers: Layers = [...above, schemaDefaults(set.tree, mergeLayers(above))]
  const merged = mergeLayers(layers)
  const whereOf = (path: Path) => winnerOf(layers, path)?.sourceOf(path) ?? 'built in'
  refuse(checkTree(merged, { schema: relayConfigSchema, tree: set.tree, layer: 'runtime', whereOf }))
  const config = relayConfigSchema.parse(merged)
  refuse(conflictsIn(config, whereOf))
  return { config, layers, whereOf }
}

function readRuntimeFile(file: string, set: KeySet): { layer: Layer; problems: readonly ConfigProblem[] } {
  const refused = (message: string) => {
    const problem: ConfigProblem = { code: 'UNREADABLE_FILE', layer: 'runtime', where: file, message }
    return { layer: emptyLayer('runtime'), problems: [problem] }
  }
  let text: string | undefined
  try {
    text = readText(file)
  } catch (error) {
    return refused(error instanceof TypeError ? 'is not UTF-8' : `cannot be read (${errorCode(error)})`)
  }
  if (text === undefined) return { layer: emptyLayer('runtime'), problems: [] }
  const document = parseToml(text, file)
  if ('code' in document) return { layer: emptyLayer('runtime'), problems: [document] }
  const { values, whereOf } = document
  const problems = checkTree(values, { schema: set.layer, tree: set.tree, layer: 'runtime', whereOf })
  return { layer: { name: 'runtime', values, sourceOf: whereOf }, problems }
}

/** Keys that do not agree with each other. */
function conflictsIn(config: RelayConfig, whereOf: (path: Path) => string): ConfigProblem[] {
  const { registry, tls, domain_suffix } = config
  const problems: ConfigProblem[] = []
  const wrong = (path: Path, message: string, hint: string) =>
    problems.push({
      code: 'INVALID_VALUE',
      layer: 'runtime',
      where: whereOf(path),
      key: keyPathText(path),
      message,
      hint,
    })
  if (registry.kind === 'etcd' && registry.endpoints.length === 0) {
    wrong(['registry', 'kind'], 'registry.kind is "etcd", and registry.endpoints is empty', 'name its endpoints')
  }
  if ((registry.cert_file === undefined) !== (registry.key_file === undefined)) {
    wrong(['registry', 'cert_file'], 'registry.cert_file and registry.key_file are one pair', 'set both, or neither')
  }
  if ((tls.cert_file === undefined) !== (tls.key_file === undefined)) {
    wrong(['tls', 'cert_file'], 'tls.cert_file and tls.key_file are one pair', 'set both, or neither')
  }
  if (tls.acme.enabled && domain_suffix === undefined) {
    wrong(['tls', 'acme', 'enabled'], 'tls.acme needs domain_suffix', 'set it')
  }
  for (const [key, other] of samePorts(config)) wrong([key], `${key} is the port of ${other} too`, 'write another port')
  return problems
}

/** Keys whose listeners want one port, each with the key that has it. */
function samePorts(config: RelayConfig): (readonly [key: string, other: string])[] {
  const { bind_address, https_port, p2p_port, metrics_port = 0 } = config
  const listeners = [
    { key: 'https_port', host: bind_address, port: https_port },
    { key: 'p2p_port', host: bind_address, port: p2p_port },
    { key: 'metrics_port', host: '127.0.0.1', port: metrics_port },
  ].filter(({ port }) => port !== 0)
  return listeners.flatMap(({ key, host, port }, at) => {
    const other = listeners.slice(0, at).find((one) => one.port === port && hostsOverlap(one.host, host))
    return other === undefined ? [] : [[key, other.key] as const]
  })
}

/** Keys that differ and wait for a restart. */
export function waitingKeys(inForce: RelayConfig, next: RelayConfig): readonly string[] {
  return [...leaves(keys().tree)]
    .filter(([path, { meta }]) => meta.restart === true && !sameValue(valueAt(inForce, path), valueAt(next, path)))
    .map(([path]) => keyPathText(path))
}

/** What every layer says about each key, secrets left out. */
export function explainRelay({ config, layers }: LoadedRelay): readonly Explanation[] {
  const { tree } = keys()
  return [...leaves(tree)].map(([path, node]) => {
    const winner = winnerOf(layers, path)?.name
    return {
      key: keyPathText(path),
      value: shown(node, valueAt(config, path)),
      waiting: false,
      ...(winner === undefined ? {} : { winner }),
      layers: layers.map((layer) => {
        const own = valueAt(layer.values, path)
        if (own === undefined) return { layer: layer.name, set: false }
        return { layer: layer.name, set: true, value: shown(node, own), source: layer.sourceOf(path) }
      }),
      ...(node.meta.description === '' ? {} : { description: node.meta.description }),
      restart: node.meta.restart === true,
    }
  })
}
