import type { Config } from '../schemas/config/config.ts'
import type { ConfigChange, ConfigDifference, ConfigProblem, Explanation } from '../schemas/config/layers.ts'

/** The daemon's configuration while it runs. Made by `openConfig`; edits and reloads are serialised. */
export type ConfigHandle = {
  /** The merged configuration, secrets included. A new frozen object after every change. */
  current(): Config
  /** What was wrong when the layers were last read (a broken runtime file, say); shown by `gatectl status`. */
  problems(): readonly ConfigProblem[]
  /** Why no client may be served, for clients, too; undefined when they may. */
  closed(): string | undefined
  /** Keys of the environment and the runtime file that have no effect, as systemd decides where the daemon listens. */
  ignored(): readonly ConfigProblem[]
  /** What the daemon listens on, for those and for explanations. */
  listensOn(urls: readonly string[]): void
  /** Every key that a layer has for an upstream or backend, sent or not: none may be shown. */
  readonly keysOf: (name: string) => readonly string[]
  explain(key: string): Explanation
  /** Every leaf key with its effective value, secrets hidden. */
  list(): readonly Explanation[]
  /** Reads a value from text by the key's type, as a variable of the environment is read. @throws ConfigError */
  readonly readText: (key: string, text: string) => unknown
  /**
   * Writes one key, or a whole table (which replaces what the runtime file says under it).
   * @throws ConfigError when the value or key is wrong or shadowed by env (unless force)
   */
  set(key: string, value: unknown, options: { readonly force: boolean }): Promise<ConfigChange>
  /** Removes one key, or everything under it, from the runtime file. */
  unset(key: string): Promise<ConfigChange>
  /**
   * Writes keys of one table, and removes those that are null, all of them or none.
   * @throws ConfigError when one of them is wrong or shadowed by env
   */
  change(table: readonly string[], change: Readonly<Record<string, unknown>>): Promise<ConfigChange>
  /** Writes keys of any tables, by their paths as people write them; otherwise as `change`. @throws ConfigError */
  setAll(values: Readonly<Record<string, unknown>>): Promise<ConfigChange>
  /** Seals every secret of the runtime file with the current key of the keyring. @throws ConfigError */
  sealSecrets(): Promise<void>
  diff(): readonly ConfigDifference[]
  /** The snippet that would make the runtime layer permanent. */
  promote(format: 'nix' | 'spec'): string
  /** Checks a runtime file's text without storing it. */
  validate(text: string): readonly ConfigProblem[]
  /** Reads all files again. A broken file leaves the last good values in force. */
  reload(): Promise<ConfigChange>
  /** Called after every change that took effect, with the changed keys. */
  onChange(listener: (config: Config, changed: readonly string[]) => void): void
}
