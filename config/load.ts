import { setImmediate } from 'node:timers/promises'
import type { Config } from '../schemas/config/config.ts'
import type { ConfigProblem } from '../schemas/config/layers.ts'
import { type Path, valueAt } from '../syntax/tree.ts'
import type { Withheld } from './bound-keys.ts'
import { type Declared, readDeclared } from './declared-file.ts'
import type { EnvironmentSources } from './environment.ts'
import type { KeySet } from './key-set.ts'
import { emptyLayer, type Layer, type Layers } from './layers.ts'
import { isEntry, mayNarrow, narrowedBy } from './narrowing.ts'
import type { PassedSocket } from './passed-socket.ts'
import { capped, firstProblems, refuse } from './problems.ts'
import { resolveInPart, resolveLayers, type Unusable } from './resolve.ts'
import {
  checkRuntime,
  type RuntimePlace,
  type RuntimeReading,
  type RuntimeRest,
  readLastGood,
  readRuntime,
  runtimeFiles,
} from './runtime-file.ts'

export type Sources = EnvironmentSources &
  RuntimePlace & {
    /** The declared layer; it may be absent. */
    readonly declaredFile: string | undefined
    /** What systemd passed; absent: the daemon opens its port by itself. */
    readonly socket?: PassedSocket | undefined
  }

/** The layers in force. */
export type Loaded = {
  readonly layers: Layers
  /** What the layers say; keys that wait for a restart may still run with another value. */
  readonly configured: Config
  /** The declared layer as read, whatever part of it is in force. */
  readonly declared: Layer
  /** Text of the runtime layer in force: the file's, or the last good one's. */
  readonly text: string
  /**
   * What of the runtime file is in force; `none` when it is absent. `closed`: nothing is, and it may have said who is
   * let in, so no client is served.
   */
  readonly runtime: 'whole' | 'in part' | 'last good' | 'none' | 'closed'
  /** Keys that are meant for another address than `configured` has. */
  readonly withheld: readonly Withheld[]
  /** What was worked around. */
  readonly problems: readonly ConfigProblem[]
}

/**
 * Reads all layers. What is wrong with the environment or the declared file is thrown; a runtime file that is wrong
 * gives way to the last good one. Where there is none that can be used, it loses only what is invalid; when that
 * narrowed access, or the file cannot be read key by key, the gateway is closed.
 * @param inForce text of the runtime layer in force; at start, the last good copy is read instead
 * @throws ConfigError
 */
export function loadLayers(sources: Sources, keys: KeySet, inForce: string | undefined): Loaded {
  const good = inForce ?? readLastGood(runtimeFiles(sources).lastGood)
  const reading = readRuntime(sources, keys, good)
  return layersWith(reading, sources, keys, { good, declared: readDeclared(sources.declaredFile, keys) })
}

/** The same for a daemon that serves requests, which have their turn after each step. @throws ConfigError */
export async function reloadLayers(sources: Sources, keys: KeySet, inForce: string | undefined): Promise<Loaded> {
  const good = inForce ?? readLastGood(runtimeFiles(sources).lastGood)
  const reading = readRuntime(sources, keys, good)
  await setImmediate()
  const loaded = layersWith(reading, sources, keys, { good, declared: readDeclared(sources.declaredFile, keys) })
  await setImmediate()
  return loaded
}

/** What is below a runtime file, and what can take its place. */
type Below = { readonly good: string | undefined; readonly declared: Declared }

/** The layers with this reading of the runtime file, or with what is in force in its place. @throws ConfigError */
export function layersWith(reading: RuntimeReading, sources: Sources, keys: KeySet, { good, declared }: Below): Loaded {
  if (reading.problems.some(({ code }) => code === 'UNSET_VARIABLE')) refuse(reading.problems) // no other file is what was meant
  const first = resolveLayers(sources, keys, reading.layer, declared.layer)
  refuse([...declared.problems, ...first.environmentProblems])

  const wrong = [...reading.problems, ...(reading.problems.length === 0 ? firstProblems(first.problems) : [])]
  const same = { declared: declared.layer, text: reading.text }
  if (wrong.length === 0 && first.config !== undefined) {
    const runtime = reading.text === '' ? 'none' : 'whole'
    const { layers, config, withheld } = first
    return { ...same, layers, configured: config, withheld, runtime, problems: [] }
  }
  if (reading.text === '' && reading.problems.length === 0) refuse(wrong)

  const copy = good === undefined ? undefined : checkRuntime(good, runtimeFiles(sources).lastGood, keys, sources)
  if (copy?.problems.length === 0) {
    const { lost = [], layer: said = reading.layer } = reading.rest ?? {}
    const isLost = (path: Path) => mayNarrow(keys.tree, said.values, path) && !valueAt(copy.layer.values, path)
    if (lost.some(isLost)) return closed(sources, keys, declared.layer, wrong)
    for (const layer of [narrowedBy(keys.tree, copy.layer, said), copy.layer]) {
      const { layers, config, withheld } = resolveLayers(sources, keys, layer, declared.layer)
      if (config !== undefined)
        return { ...same, layers, configured: config, withheld, text: copy.text, runtime: 'last good', problems: wrong }
    }
  }
  const whole: RuntimeRest = { layer: reading.layer, lost: [], narrows: false }
  const rest = reading.problems.length === 0 ? whole : reading.rest
  const part = rest && inPart(sources, keys, rest, declared.layer, wrong)
  return part === undefined
    ? closed(sources, keys, declared.layer, wrong)
    : { ...same, ...part, runtime: 'in part', problems: capped(part.problems) }
}

/** Puts a candidate for the runtime layer among the others. @throws ConfigError with all that is wrong */
export function loadCandidate(sources: Sources, keys: KeySet, text: string, declared: Layer): Loaded {
  const { file } = runtimeFiles(sources)
  const reading = checkRuntime(text, file, keys, sources)
  refuse(reading.problems)
  const resolved = resolveLayers(sources, keys, reading.layer, declared)
  refuse([...resolved.environmentProblems, ...firstProblems(resolved.problems)])
  return {
    layers: resolved.layers,
    withheld: resolved.withheld,
    configured: present(resolved.config),
    declared,
    text,
    runtime: 'whole',
    problems: [],
  }
}

/** Leaves out of all layers what is invalid, and nothing else. @returns undefined when that could open something */
function inPart(
  sources: Sources,
  keys: KeySet,
  { layer, lost, narrows }: RuntimeRest,
  declared: Layer,
  wrong: readonly ConfigProblem[],
): Pick<Loaded, 'layers' | 'configured' | 'withheld' | 'problems'> | undefined {
  if (narrows) return undefined
  const { layers, environmentProblems } = resolveLayers(sources, keys, layer, declared)
  refuse(environmentProblems)
  const entries = lost.filter((path) => isEntry(keys.tree, path))
  const rest = resolveInPart(keys, [layers[0], layer, declared], entries)
  const later = firstProblems(rest.problems).filter(
    ({ key, code }) => !wrong.some((w) => w.key === key && w.code === code),
  )
  if (rest.config === undefined || rest.problems.some((problem) => opens(keys, layer, problem))) return undefined
  const { layers: left, config, withheld } = rest
  return { layers: left, configured: config, withheld, problems: [...wrong, ...later] }
}

/** An invalid auth.mode is left out; clients then need a key, so nothing is opened. */
function opens({ tree }: KeySet, { values }: Layer, { without, tell }: Unusable): boolean {
  return mayNarrow(tree, values, without) && tell().code !== 'OPEN_TO_ALL'
}

/** The other layers alone, which serve no client, so that gatectl works while the file is repaired. */
function closed(sources: Sources, keys: KeySet, declared: Layer, wrong: readonly ConfigProblem[]): Loaded {
  const none = emptyLayer('runtime')
  const { layers } = resolveLayers(sources, keys, none, declared)
  const rest = resolveInPart(keys, [layers[0], none, declared])
  const problems = capped([...wrong, ...firstProblems(rest.problems)])
  if (rest.config === undefined) refuse(problems)
  const { withheld } = rest
  return {
    layers: rest.layers,
    configured: present(rest.config),
    withheld,
    declared,
    text: '',
    runtime: 'closed',
    problems,
  }
}

function present(config: Config | undefined): Config {
  if (config === undefined) throw new Error('layers without a problem give a configuration')
  return config
}
