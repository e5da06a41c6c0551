import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { isOurs, O_PATH, pathTo } from './held-directory.ts'

/** A socket that stays the same one whatever its path leads to by now. */
export type HeldSocket = {
  /** A path to it, for connect(2). */
  readonly at: string
  /** May be called as soon as connect(2) was, whatever comes of it. */
  release(): void
}

/**
 * Opens the socket at a path in a directory that another account may own, so that what was looked at is what is
 * connected to. There a link is followed only within the file system of the directory: each backend has one of its own,
 * so its account leads no caller to the socket of another backend or program.
 * @param follows whether links are followed at all
 * @throws the system's error, or one with the code ELOOP for a link of another account that leads elsewhere
 */
export function holdSocket(path: string, follows: 'own links' | 'no links' = 'own links'): HeldSocket {
  // elsewhere there is no path to an open file
  if (process.platform !== 'linux') return { at: path, release: () => {} }
  const { O_DIRECTORY, O_NOFOLLOW } = constants
  const directory = openSync(dirname(path), O_PATH | O_DIRECTORY)
  try {
    const flags = follows === 'no links' ? O_PATH | O_NOFOLLOW : O_PATH
    const socket = openSync(`${pathTo(directory)}/${basename(path)}`, flags)
    const { dev } = fstatSync(directory)
    const found = fstatSync(socket)
    if (found.isSymbolicLink() || (found.dev !== dev && !isOurs(directory))) {
      closeSync(socket)
      throw Object.assign(new Error(`ELOOP: a link of another account, ${path}`), { code: 'ELOOP' })
    }
    return { at: pathTo(socket), release: () => closeSync(socket) }
  } finally {
    closeSync(directory)
  }
}
