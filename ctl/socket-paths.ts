import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

/**
 * Where the daemon's admin socket may be, in the order they are tried. A path that was asked for is the only one:
 * a command must never reach another daemon than the one that was named.
 */
export function socketPaths(asked: string | undefined, env: Readonly<NodeJS.ProcessEnv>): readonly string[] {
  const named = namedSocket(asked, env)
  if (named !== undefined) return [named]
  const stateDirectory = env['STATE_DIRECTORY']?.split(':')[0] // systemd.exec(5): several are joined by colons
  const folders = [stateDirectory, xdgStateFolder(env), '/run/gate']
  return folders.flatMap((folder) => (folder === undefined || folder === '' ? [] : [join(folder, 'admin.sock')]))
}

/** Where the admin socket of a relay may be: of one that systemd runs, then of one that this user has started. */
export function relaySocketPaths(instance: string, env: Readonly<NodeJS.ProcessEnv>): readonly string[] {
  const own = xdgStateFolder(env)
  const started = own === undefined ? [] : [join(own, `relay-${instance}`, 'admin.sock')]
  return [`/run/gate-relay/${instance}/admin.sock`, ...started]
}

/**
 * Where the shell sockets of the backends are: beside the admin socket that was asked for, else those of the gateway
 * without an instance. No daemon is asked: one that is taken over must not lead a shell elsewhere.
 */
export function shellsDirectory(asked: string | undefined, env: Readonly<NodeJS.ProcessEnv>): string {
  const named = namedSocket(asked, env)
  return join(named === undefined ? '/run/gate' : dirname(named), 'shells')
}

function namedSocket(asked: string | undefined, env: Readonly<NodeJS.ProcessEnv>): string | undefined {
  return asked ?? (env['GATE_ADMIN_SOCKET'] || undefined)
}

/** Where programs of this user keep their state. */
export function xdgStateFolder(env: Readonly<NodeJS.ProcessEnv>): string | undefined {
  if (env['XDG_STATE_HOME']) return join(env['XDG_STATE_HOME'], 'gate')
  try {
    return join(env['HOME'] || homedir(), '.local', 'state', 'gate')
  } catch {
    return undefined // a user without an entry in passwd, and no HOME: there is no such folder
  }
}
