import { lstatSync, readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { nearest } from '../schemas/words/nearest.ts'
import { holdSocket } from '../system/held-socket.ts'
import { type Failure, failure } from './failure.ts'

/**
 * Connects to the shell socket of a backend. Where it is follows from the backend's name, and no other account than the
 * backend's own may decide what is there.
 * @param shells directory with a directory for each backend, root's
 * @throws Failure NO_SHELL, NO_PERMISSION
 */
export async function dialShell(shells: string, backend: string): Promise<Socket> {
  const names = backendsWithShells(shells)
  if (!names.includes(backend)) {
    const near = nearest(backend, names)
    const meant = near === undefined ? '' : `; did you mean "${near}"?`
    throw noShell(`there is no shell socket of a backend "${backend}" in ${shells}${meant}`, APPLY_HINT)
  }
  const path = join(shells, backend, 'shell.sock')
  try {
    if (lstatSync(dirname(path)).isSymbolicLink() || !lstatSync(path).isSocket()) throw noSocket(path)
    return await connected(path)
  } catch (error) {
    throw unreachable(path, error)
  }
}

function backendsWithShells(shells: string): string[] {
  try {
    const { uid, mode } = lstatSync(shells)
    if ((uid !== 0 && uid !== process.getuid?.()) || (mode & 0o022) !== 0)
      throw noShell(`${shells} is not root's alone: another account could lead a shell elsewhere`, 'gatectl doctor')
    return readdirSync(shells)
  } catch (error) {
    throw unreachable(shells, error)
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const held = holdSocket(path, 'no links')
    const socket = connect({ path: held.at })
    held.release()
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

function unreachable(path: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'ENOENT':
      return noShell(`${path} is not there`, APPLY_HINT, error)
    case 'ECONNREFUSED':
      return noShell(`no program listens at ${path}`, 'sudo gatectl doctor says why', error)
    case 'ELOOP':
      return noSocket(path, error)
    case 'EACCES':
    case 'EPERM': {
      const group = `${basename(dirname(path.replace(/\/shells\/.*$/, '/shells')))}-admin`
      const hint = `only members of the group ${group} may open shells: sudo usermod -aG ${group} "$USER", then log in again`
      return failure('NO_PERMISSION', `${path}: permission denied`, { hint, cause: error })
    }
    default:
      return error
  }
}

function noSocket(path: string, cause?: unknown): Failure {
  const detail = `${path} is not a socket: its account may lead a shell elsewhere`
  return noShell(detail, 'look at it: ls -l; then remove it', cause)
}

function noShell(detail: string, hint: string, cause?: unknown): Failure {
  return failure('NO_SHELL', detail, { hint, cause })
}

const APPLY_HINT = 'a host that an older version was deployed to has no shell sockets yet: sudo gatectl apply'
