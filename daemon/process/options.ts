import { homedir } from 'node:os'
import { join } from 'node:path'

/** What the daemon gets from its surroundings. */
export type DaemonOptions = {
  readonly env: NodeJS.ProcessEnv
  readonly stdout: { readonly write: (text: string) => unknown; readonly isTTY?: boolean }
  /** Where state is kept; `$STATE_DIRECTORY`, else `$XDG_STATE_HOME/gate`, when absent. */
  readonly stateDirectory?: string
  /** The runtime layer; `config.toml` in the state directory, when absent. */
  readonly runtimeFile?: string
  /** The declared layer; may be absent. */
  readonly declaredFile: string
  /** Whether the very first start makes a key and prints it. */
  readonly makesFirstKey: boolean
}

/**
 * `$STATE_DIRECTORY` (systemd sets it; the first of several), else `$XDG_STATE_HOME/gate`, else `~/.local/state/gate`.
 */
export function defaultStateDirectory(env: NodeJS.ProcessEnv): string {
  const [first] = (env['STATE_DIRECTORY'] ?? '').split(':')
  if (first !== undefined && first !== '') return first
  const xdg = env['XDG_STATE_HOME']
  return join(xdg?.startsWith('/') ? xdg : join(homedir(), '.local', 'state'), 'gate')
}
