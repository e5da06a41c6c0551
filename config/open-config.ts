import { configSchema } from '../schemas/config/config.ts'
import type { ConfigChange } from '../schemas/config/layers.ts'
import { keyPathText } from '../schemas/words/key-path.ts'
import type { Log } from '../schemas/words/log.ts'
import { applicable, changedPaths, waitsForRestart } from './changes.ts'
import { readKeyText, setKey, unsetKey } from './edits.ts'
import { explainKey, listKeys, pathOfKey, runtimeDifferences } from './explain.ts'
import type { ConfigHandle } from './handle.ts'
import { configKeys } from './key-set.ts'
import { type Loaded, loadCandidate, loadLayers, type Sources } from './load.ts'
import { ConfigError, problemLine } from './problems.ts'
import { promoted } from './promote.ts'
import { frozenConfig } from './resolve.ts'
import { keepLastGood, modeOpenToOthers, runtimeFiles } from './runtime-file.ts'

/**
 * Reads the layers and keeps them. Opens nothing that needs closing.
 * @throws ConfigError when the environment or the declared file is wrong; never for the runtime file
 */
export function openConfig(sources: Sources & { readonly log: Log }): ConfigHandle {
  const { log } = sources
  const keys = configKeys()
  const { tree } = keys
  const listeners: Parameters<ConfigHandle['onChange']>[0][] = []
  let loaded = loadLayers(sources, keys, undefined)
  let running = loaded.configured
  let problems = loaded.problems
  let queue: Promise<unknown> = Promise.resolve()
  settle(loaded, instead(loaded))

  /** One edit or reload at a time, in the order they came. */
  function serialised<T>(work: () => T): Promise<T> {
    const result = queue.then(work)
    queue = result.catch(() => undefined)
    return result
  }

  /** Tells of problems and keeps a copy of what is right. */
  function settle(next: Loaded, consequence: string): void {
    warnOfReaders()
    for (const problem of next.problems) {
      const { code, where, key } = problem
      const fields = { code, file: where, error: problemLine(problem) }
      log('error', 'configuration problem', key === undefined ? fields : { ...fields, key })
    }
    if (next.problems.length > 0) {
      log('error', consequence)
      return
    }
    const failed = keepLastGood(sources, next.text)
    if (failed !== undefined) log('warn', 'could not keep a copy of the configuration', { error: failed })
  }

  function warnOfReaders(): void {
    const mode = modeOpenToOthers(sources)
    if (mode === undefined) return
    const { file } = runtimeFiles(sources)
    log('warn', `other users can read the runtime configuration (mode ${mode}); chmod 600 fixes it`, { file })
  }

  /** Makes a new state the one in force and tells who wants to know. */
  function adopt(next: Loaded): ConfigChange {
    const changed = changedPaths(loaded.configured, next.configured)
    const before = running
    loaded = next
    problems = next.problems
    running = frozenConfig(tree, configSchema.parse(applicable(tree, running, next.configured)))
    const applied = changedPaths(before, running).map((path) => keyPathText(path))
    if (applied.length > 0) for (const listener of listeners) listener(running, applied)
    return {
      changed: changed.map((path) => keyPathText(path)),
      restart: changed.filter((path) => waitsForRestart(tree, path)).map((path) => keyPathText(path)),
      shadowed: [],
      problems,
    }
  }

  return {
    current: () => running,
    problems: () => problems,
    explain: (key) => explainKey(tree, loaded.layers, loaded.configured, running, pathOfKey(key)),
    list: () => listKeys(tree, loaded.layers, loaded.configured, running),
    readText: (key, text) => readKeyText(tree, key, text),
    set: (key, value, { force }) =>
      serialised(() => {
        const { next, shadowed } = setKey({ sources, keys, loaded }, key, value, force)
        return { ...adopt(next), shadowed }
      }),
    unset: (key) =>
      serialised(() => {
        const { next, shadowed } = unsetKey({ sources, keys, loaded }, key)
        return { ...adopt(next), shadowed }
      }),
    promote(format) {
      const { configured, layers, declared } = loaded
      return promoted(format, tree, layers[1].values, { declared: declared.values, configured })
    },
    diff: () => runtimeDifferences(tree, loaded.layers),
    validate(text) {
      try {
        loadCandidate(sources, keys, text, loaded.declared)
        return []
      } catch (error) {
        if (error instanceof ConfigError) return error.problems
        throw error
      }
    },
    reload: () =>
      serialised(() => {
        try {
          const next = loadLayers(sources, keys, loaded.text)
          settle(next, instead(next))
          return adopt(next)
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error
          problems = error.problems
          settle({ ...loaded, problems }, 'the configuration in force is kept')
          return { changed: [], restart: [], shadowed: [], problems }
        }
      }),
    onChange: (listener) => {
      listeners.push(listener)
    },
  }
}

/** What is in force in place of a runtime file that was refused. */
function instead({ runtime }: Loaded): string {
  switch (runtime) {
    case 'none':
      return 'the other layers are in force without the runtime file'
    case 'in part':
      return 'the runtime file is in force without what conflicts with other layers'
    default:
      return 'the last good runtime file is in force'
  }
}
