import { lstat, unlink } from 'node:fs/promises'
import { connect, type Server } from 'node:net'
import { dirname } from 'node:path'

/** Where the admin API listens: a path that this process makes, or a listening Unix socket that systemd passed on. */
export type AdminSocket = { readonly path: string } | { readonly fd: number }

/** unix(7): sun_path holds 108 bytes, the last one a NUL. */
const LONGEST_PATH_BYTES = 107
/** With this mask `bind` makes the socket with mode 0660: never a moment at which others could connect. */
const SOCKET_UMASK = 0o117

/** The admin socket cannot be had. The message says where, why and what to do. */
export class AdminSocketError extends Error {
  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options)
    this.name = 'AdminSocketError'
  }
}

/**
 * Makes `server` listen. A socket file on which no program answers is replaced; one on which a program answers is not.
 * Closing the server removes a path that was made here, and leaves an inherited socket's path alone.
 * @throws AdminSocketError
 */
export async function listenOnSocket(server: Server, socket: AdminSocket): Promise<void> {
  if ('path' in socket) await removeStale(socket.path)
  const listening = new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new AdminSocketError(`${nameOf(socket)}: ${cause.message}`, { cause })))
    server.once('listening', resolve)
  })
  if ('fd' in socket) server.listen({ fd: socket.fd })
  else listenOnPath(server, socket.path)
  await listening
  const address = server.address()
  if (typeof address !== 'object' || address === null) return
  server.close()
  throw new AdminSocketError(`${nameOf(socket)} is a TCP socket; the admin API is served on a Unix socket only`)
}

function nameOf(socket: AdminSocket): string {
  return 'path' in socket ? `admin socket ${socket.path}` : `inherited admin socket, descriptor ${socket.fd}`
}

function listenOnPath(server: Server, path: string): void {
  const before = process.umask(SOCKET_UMASK)
  try {
    server.listen(path) // binds before it returns
  } finally {
    process.umask(before)
  }
}

async function removeStale(path: string): Promise<void> {
  if (Buffer.byteLength(path) > LONGEST_PATH_BYTES) {
    throw new AdminSocketError(`admin socket ${path}: longer than ${LONGEST_PATH_BYTES} bytes; use a shorter directory`)
  }
  const stat = await lstat(path).catch(absent)
  if (stat === null && (await lstat(dirname(path)).catch(absent)) === null) {
    throw new AdminSocketError(`admin socket ${path}: there is no directory ${dirname(path)}; make it`)
  }
  if (stat === null) return
  if (!stat.isSocket())
    throw new AdminSocketError(`admin socket ${path}: there is a file that is not a socket; move it away`)
  if (await answers(path)) {
    throw new AdminSocketError(
      `admin socket ${path}: another gate-daemon answers there; stop it, or give this one its own state directory`,
    )
  }
  await unlink(path).catch(absent)
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null
  throw new AdminSocketError(`admin socket: ${error.message}`, { cause: error })
}

/** Whether a program listens at `path`. Only a refused connection proves that none does. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT')
    })
  })
}
