import { type Config, configSchema } from '../schemas/config/config.ts'
import type { ConfigChange, ConfigProblem } from '../schemas/config/layers.ts'
import { keyPathText } from '../schemas/words/key-path.ts'
import type { Log } from '../schemas/words/log.ts'
import { type Path, sameValue, valueAt } from '../syntax/tree.ts'
import { keysOf, type Withheld } from './bound-keys.ts'
import { applicable, changedPaths, waitsForRestart } from './changes.ts'
import { changeKeys, type Edited, readKeyText, sealSecrets, setKey, setKeys, unsetKey } from './edits.ts'
import { explainKey, type Inspected, listKeys, pathOfKey, runtimeDifferences } from './explain.ts'
import { foreignVariables } from './foreign-variables.ts'
import type { ConfigHandle } from './handle.ts'
import { configKeys } from './key-set.ts'
import { winnerOf } from './layers.ts'
import { type Loaded, loadCandidate, loadLayers, reloadLayers, type Sources } from './load.ts'
import { decidedKeys, ignoredKeys } from './passed-socket.ts'
import { ConfigError, problemLine } from './problems.ts'
import { promoted } from './promote.ts'
import { frozenConfig } from './resolve.ts'
import { keepLastGood, modeOpenToOthers, runtimeFiles } from './runtime-file.ts'
import type { Fingerprint } from './shown.ts'

/**
 * Reads the layers and keeps them. Opens nothing that needs closing.
 * @throws ConfigError when the environment or the declared file is wrong; never for the runtime file
 */
export function openConfig(sources: Sources & { readonly log: Log; readonly fingerprint?: Fingerprint }): ConfigHandle {
  const { log, socket, fingerprint } = sources
  const keys = configKeys()
  const { tree } = keys
  const listeners: Parameters<ConfigHandle['onChange']>[0][] = []
  let loaded = loadLayers(sources, keys, undefined)
  let running = loaded.configured
  let problems = loaded.problems
  let closed = loaded.runtime === 'closed' ? UNREADABLE : undefined
  let queue: Promise<unknown> = Promise.resolve()
  let urls: readonly string[] = []
  for (const [file, reason] of foreignVariables(sources.env))
    log('warn', 'a variable that does nothing here', { file, reason })
  settle(loaded, instead(loaded))
  warnOfIgnored()

  /** One edit or reload at a time, in the order they came. */
  function serialised<T>(work: () => T | Promise<T>): Promise<T> {
    const result = queue.then(work)
    queue = result.catch(() => undefined)
    return result
  }

  /** Logs problems and keeps a copy of what is right. */
  function settle(next: Loaded, consequence: string): void {
    warnOfReaders()
    for (const problem of next.problems.slice(0, MOST_LOGGED))
      log('error', 'configuration problem', problemFields(problem))
    for (const { problem } of next.withheld.slice(0, MOST_LOGGED))
      log('warn', 'a key is not sent', problemFields(problem))
    const more = next.problems.length - MOST_LOGGED
    if (more > 0) log('error', 'more configuration problems; gatectl config validate lists them', { count: more })
    if (next.problems.length > 0) {
      log('error', consequence)
      return
    }
    const failed = keepLastGood(sources, next.text)
    if (failed !== undefined) log('warn', 'could not keep a copy of the configuration', { error: failed })
  }

  function ignored(): readonly ConfigProblem[] {
    return socket === undefined ? [] : ignoredKeys(socket, loaded.layers, urls)
  }

  function warnOfIgnored(): void {
    for (const { key = '', where, message } of ignored()) log('warn', message, { key, file: where })
  }

  function inspected(): Inspected {
    const { layers, configured, withheld } = loaded
    return { tree, layers, configured, running, withheld, passed: socket && { socket, urls }, fingerprint }
  }

  function warnOfReaders(): void {
    const mode = modeOpenToOthers(sources)
    if (mode === undefined) return
    const { file } = runtimeFiles(sources)
    log('warn', `other users can read the runtime configuration (mode ${mode}); chmod 600 fixes it`, { file })
  }

  /** Puts a new state in force and notifies the listeners. */
  function adopt(next: Loaded): ConfigChange {
    const changed = changedPaths(loaded.configured, next.configured)
      .filter((path) => !isOwnDefault(loaded, next, path) && !isOwnDefault(next, loaded, path))
      .filter((path) => socket === undefined || decidedKeys(path).length === 0)
    const before = running
    loaded = next
    problems = next.problems
    running = frozenConfig(tree, configSchema.parse(applicable(tree, running, next.configured)))
    closed &&= stillClosed(next, running)
    const applied = changedPaths(before, running).map((path) => keyPathText(path))
    if (applied.length > 0) for (const listener of listeners) listener(running, applied)
    return {
      changed: changed.map((path) => keyPathText(path)),
      restart: changed.filter((path) => waitsForRestart(tree, path)).map((path) => keyPathText(path)),
      shadowed: [],
      problems: [...problems, ...next.withheld.filter(isAbout(changed)).map(({ problem }) => problem)],
    }
  }

  function kept(found: readonly ConfigProblem[]): ConfigChange {
    problems = found
    settle({ ...loaded, problems }, 'the configuration in force is kept')
    return { changed: [], restart: [], shadowed: [], problems }
  }

  return {
    current: () => running,
    problems: () => [...problems, ...loaded.withheld.map(({ problem }) => problem)],
    keysOf: (name) => keysOf(loaded.layers, name),
    closed: () => closed,
    ignored,
    listensOn: (at) => {
      urls = at
    },
    explain: (key) => explainKey(inspected(), pathOfKey(key)),
    list: () => listKeys(inspected()),
    readText: (key, text) => readKeyText(tree, key, text),
    set: (key, value, { force }) =>
      serialised(() => {
        const { next, ...edit } = setKey({ sources, keys, loaded, urls }, key, value, force)
        return withEdit(adopt(next), edit)
      }),
    unset: (key) =>
      serialised(() => {
        const { next, ...edit } = unsetKey({ sources, keys, loaded, urls }, key)
        return withEdit(adopt(next), edit)
      }),
    change: (table, change) =>
      serialised(() => {
        const { next, ...edit } = changeKeys({ sources, keys, loaded, urls }, table, change)
        return withEdit(adopt(next), edit)
      }),
    setAll: (values) =>
      serialised(() => {
        const { next, ...edit } = setKeys({ sources, keys, loaded, urls }, values)
        return withEdit(adopt(next), edit)
      }),
    sealSecrets: () =>
      serialised(() => {
        const next = sealSecrets({ sources, keys, loaded, urls })
        if (next !== null) adopt(next)
      }),
    promote(format) {
      const { configured, layers, declared } = loaded
      const { values, written = values } = layers[1]
      return promoted(format, tree, values, { declared: declared.values, configured, written })
    },
    diff: () => runtimeDifferences(inspected()),
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
      serialised(async () => {
        try {
          const next = await reloadLayers(sources, keys, closed === undefined ? loaded.text : undefined)
          if (next.runtime === 'closed' && closed === undefined) return kept(next.problems)
          settle(next, instead(next))
          const change = adopt(next)
          warnOfIgnored()
          return ignored().length > 0 ? { ...change, ignored: ignored() } : change
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error
          return kept(error.problems)
        }
      }),
    onChange: (listener) => {
      listeners.push(listener)
    },
  }
}

/** What an edit did besides. */
function withEdit(change: ConfigChange, { shadowed, removed }: Omit<Edited, 'next'>): ConfigChange {
  return { ...change, shadowed, problems: [...change.problems, ...removed.map(({ problem }) => problem)] }
}

/** Whether something of the same upstream has changed. */
function isAbout(changed: readonly Path[]) {
  return ({ path: [map, name] }: Withheld) => changed.some((path) => path[0] === map && path[1] === name)
}

function problemFields(problem: ConfigProblem) {
  const { code, where, key } = problem
  const fields = { code, file: where, error: problemLine(problem) }
  return key === undefined ? fields : { ...fields, key }
}

/** A default of an entry that is in one of two states only: it came, or went, with what was said. */
function isOwnDefault(there: Loaded, absent: Loaded, path: Path): boolean {
  return valueAt(absent.configured, path) === undefined && winnerOf(there.layers, path)?.name === 'defaults'
}

/** More would only fill the log. */
const MOST_LOGGED = 10

const UNREADABLE = 'the configuration that controls access cannot be used; `gatectl status` says what is wrong'
const WAITS = 'the configuration is repaired, but server.host and auth.mode take effect when gate-daemon restarts'

/** Where it listens, and whether a key is asked for, were decided without the runtime file. */
function stillClosed({ runtime, configured }: Loaded, running: Config): string | undefined {
  if (runtime === 'closed') return UNREADABLE
  const isSame = configured.server.host === running.server.host && sameValue(configured.auth.mode, running.auth.mode)
  return isSame ? undefined : WAITS
}

/** What is in force in place of a runtime file that was refused. */
function instead({ runtime }: Loaded): string {
  switch (runtime) {
    case 'none':
      return 'the other layers are in force without the runtime file'
    case 'closed':
      return 'closed: no client is served until the runtime file is repaired'
    case 'in part':
      return 'the runtime file is in force, except for what is wrong in it or conflicts with other layers'
    default:
      return 'the last good runtime file is in force'
  }
}
