import { existsSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { failure } from '../../failure.ts'
import type { Run } from '../../invocation.ts'

/**
 * Becomes gate-daemon in this process, so that its signals, its exit code and its place under a service manager are
 * those of the daemon. Returns only when it refuses.
 */
export const run: Run = ({ env, text }) => {
  const file = text('config')
  if (file !== undefined && !existsSync(file))
    throw failure('FILE_UNREADABLE', `${file}: not there`, {
      hint: 'name a file of the configuration, or leave --config out for the one in the state directory',
    })
  const program = fileURLToPath(new URL(`../../../bin/gate-daemon${extname(import.meta.url)}`, import.meta.url))
  const socket = text('socket')
  const state = text('state-directory')
  const options = [
    ...(file === undefined ? [] : [file.endsWith('.json') ? '--declared' : '--config', resolve(file)]),
    ...(state === undefined ? [] : ['--state-directory', resolve(state)]),
  ]
  if (process.execve === undefined) throw new Error('this system cannot replace the program of a process')
  return process.execve(process.execPath, [process.execPath, ...process.execArgv, program, ...options], {
    ...withoutSockets(env),
    ...(socket === undefined ? {} : { GATE_ADMIN_SOCKET: resolve(socket) }),
  })
}

/** Sockets of systemd are not passed on: Node closes them for the program that follows. */
function withoutSockets({ LISTEN_PID: _pid, LISTEN_FDS: _fds, LISTEN_FDNAMES: _names, ...env }: NodeJS.ProcessEnv) {
  return env
}
