import type { Config } from '../schemas/config/config.ts'
import type { ConfigProblem } from '../schemas/config/layers.ts'
import { keyPathText } from '../schemas/words/key-path.ts'
import type { Path } from '../syntax/tree.ts'
import { readDeclared } from './declared-file.ts'
import type { EnvironmentSources } from './environment.ts'
import type { KeySet } from './key-set.ts'
import { emptyLayer, type Layer, type Layers } from './layers.ts'
import { refuse } from './problems.ts'
import { type Resolved, resolveInPart, resolveLayers } from './resolve.ts'
import {
  checkRuntime,
  type RuntimePlace,
  type RuntimeReading,
  readLastGood,
  readRuntime,
  runtimeFiles,
} from './runtime-file.ts'

export type Sources = EnvironmentSources &
  RuntimePlace & {
    /** The declared layer; it may be absent. */
    readonly declaredFile: string | undefined
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
  /** What of the runtime file is in force; `none` also when it is absent. */
  readonly runtime: 'whole' | 'in part' | 'last good' | 'none'
  /** What was worked around. */
  readonly problems: readonly ConfigProblem[]
}

/**
 * Reads all layers. What is wrong with the environment or the declared file is thrown; a runtime file that is wrong
 * gives way to the last good one. One that is right alone but not with the other layers, and whose copy is no better,
 * loses only what is invalid: the keys that narrow access stay. One that cannot be read and has no copy gives way to none.
 * @param inForce text of the runtime layer in force; at start, the last good copy is read instead
 * @throws ConfigError
 */
export function loadLayers(sources: Sources, keys: KeySet, inForce: string | undefined): Loaded {
  const { lastGood } = runtimeFiles(sources)
  const declared = readDeclared(sources.declaredFile, keys)
  const good = inForce ?? readLastGood(lastGood)
  const reading = readRuntime(sources, keys, good)
  refuse(reading.problems.filter(({ code }) => code === 'UNSET_VARIABLE')) // no other file is what was meant
  const first = resolveLayers(sources, keys, reading.layer, declared.layer)
  refuse([...declared.problems, ...first.environmentProblems])

  const wrong = [...reading.problems, ...(reading.problems.length === 0 ? stripped(first.problems) : [])]
  if (wrong.length === 0 && first.config !== undefined)
    return {
      layers: first.layers,
      configured: first.config,
      declared: declared.layer,
      text: reading.text,
      runtime: reading.text === '' ? 'none' : 'whole',
      problems: [],
    }
  if (reading.text === '' && reading.problems.length === 0) refuse(wrong)

  const copy = good === undefined ? undefined : checkRuntime(good, lastGood, keys, sources.env)
  if (good !== undefined && copy?.problems.length === 0) {
    const second = resolveLayers(sources, keys, copy.layer, declared.layer)
    if (second.config !== undefined)
      return {
        layers: second.layers,
        configured: second.config,
        declared: declared.layer,
        text: good,
        runtime: 'last good',
        problems: wrong,
      }
  }
  if (reading.problems.length > 0) return withoutRuntime(sources, keys, declared.layer, wrong)
  return inPart(keys, first.layers, reading, wrong)
}

/** Puts a candidate for the runtime layer among the others. @throws ConfigError with all that is wrong */
export function loadCandidate(sources: Sources, keys: KeySet, text: string, declared: Layer): Loaded {
  const { file } = runtimeFiles(sources)
  const reading = checkRuntime(text, file, keys, sources.env)
  refuse(reading.problems)
  const resolved = resolveLayers(sources, keys, reading.layer, declared)
  refuse([...resolved.environmentProblems, ...stripped(resolved.problems)])
  return {
    layers: resolved.layers,
    configured: present(resolved.config),
    declared,
    text,
    runtime: 'whole',
    problems: [],
  }
}

/** Leaves out of all layers what is invalid, and nothing else. @throws ConfigError when that would open something */
function inPart(
  keys: KeySet,
  [env, , declared]: Layers,
  reading: RuntimeReading,
  wrong: readonly ConfigProblem[],
): Loaded {
  const rest = resolveInPart(keys, env, reading.layer, declared)
  const later = stripped(rest.problems).filter(({ key, code }) => !wrong.some((w) => w.key === key && w.code === code))
  const problems = [...wrong, ...later]
  if (rest.config === undefined || rest.problems.some(({ without }) => narrowsAccess(without))) refuse(problems)
  const configured = present(rest.config)
  return { layers: rest.layers, configured, declared, text: reading.text, runtime: 'in part', problems }
}

/** Keys without which more clients, or bigger requests, would be let in: they are never left out. */
const NARROWING = [
  /^server\.(allow_from|allowed_hosts|trusted_proxies|max_[a-z]+)$/,
  /^auth(\.(token|jwt))?$/,
  /^server$/,
]

function narrowsAccess(path: Path): boolean {
  return NARROWING.some((pattern) => pattern.test(keyPathText(path)))
}

function withoutRuntime(sources: Sources, keys: KeySet, declared: Layer, wrong: readonly ConfigProblem[]): Loaded {
  const none = emptyLayer('runtime')
  const { layers } = resolveLayers(sources, keys, none, declared)
  const rest = resolveInPart(keys, layers[0], none, declared)
  const problems = [...wrong, ...stripped(rest.problems)]
  if (rest.config === undefined) refuse(problems)
  return { layers: rest.layers, configured: present(rest.config), declared, text: '', runtime: 'none', problems }
}

function stripped(problems: Resolved['problems']): ConfigProblem[] {
  return problems.map(({ without: _, ...problem }) => problem)
}

function present(config: Config | undefined): Config {
  if (config === undefined) throw new Error('layers without a problem give a configuration')
  return config
}
