import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Where the daemon's admin socket may be, in the order they are tried. A path that was asked for is the only one:
 * a command must never reach another daemon than the one that was named.
 */
export function socketPaths(asked: string | undefined, env: Readonly<NodeJS.ProcessEnv>): readonly string[] {
  const named = asked ?? env['GATE_ADMIN_SOCKET']
  if (named !== undefined && named !== '') return [named]
  const stateDirectory = env['STATE_DIRECTORY']?.split(':')[0] // systemd.exec(5): several are joined by colons
  const xdgState = env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state')
  const folders = [stateDirectory, join(xdgState, 'gate'), '/run/gate']
  return folders.flatMap((folder) => (folder === undefined || folder === '' ? [] : [join(folder, 'admin.sock')]))
}
